"""Keeps and judges returned mail."""
