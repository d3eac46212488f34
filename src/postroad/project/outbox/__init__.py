"""The built-in outbox: pages that show what a site without a relay would have sent, and a form to post to a list."""
