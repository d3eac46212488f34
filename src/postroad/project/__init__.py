"""Wiring, the only floor that knows every slice: settings from one file, urls, command line, supervisor."""
