"""Django's label of this slice."""

from django.apps import AppConfig


class UsenetConfig(AppConfig):
    """The slice `usenet`."""

    name = "postroad.mailflow.usenet"
    label = "usenet"
