"""Tells other programs what happened here, by signed HTTP requests (standard-webhooks' conventions)."""
