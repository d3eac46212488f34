"""Who and what: people, lists, bans, notices, subscriptions."""
