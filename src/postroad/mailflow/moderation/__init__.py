"""May this post pass? Rules, chains, and the messages held for a decision."""
