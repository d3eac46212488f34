"""Django's label of this slice."""

from django.apps import AppConfig


class DigestsConfig(AppConfig):
    """The slice `digests`."""

    name = "postroad.mailflow.digests"
    label = "digests"
