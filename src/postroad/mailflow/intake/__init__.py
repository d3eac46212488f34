"""Mail enters here by LMTP or SMTP; the address decides the queue."""
