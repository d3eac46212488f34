"""Mail as bytes: header view and edits, MIME spans, addresses, personal copies."""
