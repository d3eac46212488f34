"""SMTP out: personal copies, progress per recipient, retries."""
