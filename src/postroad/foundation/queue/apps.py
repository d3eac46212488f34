"""Django's label of this slice."""

from django.apps import AppConfig


class QueueConfig(AppConfig):
    """The slice `queue`."""

    name = "postroad.foundation.queue"
    label = "queue"
