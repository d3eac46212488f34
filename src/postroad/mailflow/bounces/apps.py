"""Django's label of this slice."""

from django.apps import AppConfig


class BouncesConfig(AppConfig):
    """The slice `bounces`."""

    name = "postroad.mailflow.bounces"
    label = "bounces"
