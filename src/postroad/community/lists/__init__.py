"""Domains, lists, the register of list settings, styles."""
