"""The durable queue, a table; its envelope and its wake-up."""
