"""The `mailman-web` command, a drop-in for Mailman's: cron jobs, scripts and the upgrade guide go on working."""
