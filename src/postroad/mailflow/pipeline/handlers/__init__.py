"""One module per handler; each has a name and an apply(). They do not know each other."""
