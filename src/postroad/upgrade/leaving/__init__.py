"""The way out and the way back: backups that any of the two engines takes, and lists in formats everybody reads."""
