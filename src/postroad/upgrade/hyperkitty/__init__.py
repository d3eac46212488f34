"""Moves HyperKitty's archives in: lists and threads (`archives.py`), mails, and what readers added (`readers.py`)."""
