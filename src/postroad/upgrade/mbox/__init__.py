"""Old archives: mailboxes in all their formats, read and archived."""
