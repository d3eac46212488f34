"""Full-text search inside the site's database: one analyser of ours, FTS5 or tsvector behind one interface."""
