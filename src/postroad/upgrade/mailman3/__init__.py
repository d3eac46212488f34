"""Moves a Mailman 3 site in: `installation.py` finds it, the step modules read it, `steps.py` is the order."""
