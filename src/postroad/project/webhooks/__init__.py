"""Webhooks as their owners meet them: pages and REST; what they do are verbs of `foundation/webhooks`."""
