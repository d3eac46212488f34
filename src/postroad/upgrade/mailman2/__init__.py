"""Moving in from Mailman 2.1: its lists, members, held mail and archives, read from its own files."""
