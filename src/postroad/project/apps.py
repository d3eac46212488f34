"""Django's label of the wiring."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The floor that knows every slice."""

    name = "postroad.project"
    label = "project"
