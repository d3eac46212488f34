"""Django's label of this slice."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Tokens of people for REST."""

    name = "postroad.community.access"
    label = "access"
