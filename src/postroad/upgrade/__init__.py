"""Moving in and moving up: snapshot, migrate, self-test, rollback; importers."""
