"""Content-addressed store of messages."""
