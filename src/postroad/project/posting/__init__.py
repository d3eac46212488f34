"""Pages to write to a list: a mail like any other, handed to intake for its author."""
