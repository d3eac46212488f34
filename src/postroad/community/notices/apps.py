"""Django's label of this slice."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """The slice `notices`."""

    name = "postroad.community.notices"
    label = "notices"
