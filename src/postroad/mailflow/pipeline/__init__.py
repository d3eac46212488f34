"""Makes an accepted post ready: handlers describe edits, the author's bytes stay."""
