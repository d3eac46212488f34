"""Addresses and patterns that may neither post nor join."""
