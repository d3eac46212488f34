"""Collects posts and sends them as one."""
