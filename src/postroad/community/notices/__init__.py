"""The mail Postroad itself writes, and its templates."""
