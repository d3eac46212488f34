"""One module per rule; each has a name and a check(). They do not know each other."""
