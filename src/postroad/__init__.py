"""Postroad: mailing lists in one package."""
