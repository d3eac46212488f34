"""Accounts, users, addresses, preferences, sign-in."""
