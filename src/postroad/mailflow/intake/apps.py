"""Django's label of this slice."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """The slice `intake`."""

    name = "postroad.mailflow.intake"
    label = "intake"
