"""Django's label of this slice."""

from django.apps import AppConfig


class BansConfig(AppConfig):
    """The slice `bans`."""

    name = "postroad.community.bans"
    label = "bans"
