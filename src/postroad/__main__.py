"""`python -m postroad` is the `postroad` command."""

from postroad.project.cli import main

main()
