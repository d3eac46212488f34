"""Threads, search, pages, feeds and downloads of what was posted."""
