"""Base templates, styles, security headers, and the HTTP server's bridge."""
