"""What templates can do beside what Django brings."""
