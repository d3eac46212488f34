"""Django's label of this slice."""

from django.apps import AppConfig


class ModerationConfig(AppConfig):
    """The slice `moderation`."""

    name = "postroad.mailflow.moderation"
    label = "moderation"
