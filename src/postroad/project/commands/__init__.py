"""One module for each subcommand of `postroad`: parse, call one action, print."""
