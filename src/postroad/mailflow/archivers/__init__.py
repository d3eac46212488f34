"""Hands posts to archivers of others: a Maildir, a program, a service (facts: mail-flow §22)."""
