"""The news gateway's slice: its queue is kept and visible."""
