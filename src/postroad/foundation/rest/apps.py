"""Django's label of this part of the foundation."""

from django.apps import AppConfig


class RestConfig(AppConfig):
    """The habits of REST, with the audit log of its calls."""

    name = "postroad.foundation.rest"
    label = "rest"
