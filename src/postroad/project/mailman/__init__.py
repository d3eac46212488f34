"""The `mailman` command, a drop-in for Mailman Core's: scripts, cron jobs and fingers go on working."""
