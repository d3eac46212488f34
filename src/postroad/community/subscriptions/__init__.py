"""Members and their roles; joining and leaving; tokens."""
