"""Django's label of this slice."""

from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    """The slice `archive`."""

    name = "postroad.mailflow.archive"
    label = "archive"
