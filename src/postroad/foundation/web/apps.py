"""Django's label of this slice."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The slice `web`."""

    name = "postroad.foundation.web"
    label = "web"
