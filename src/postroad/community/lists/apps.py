"""Django's label of this slice."""

from django.apps import AppConfig


class ListsConfig(AppConfig):
    """The slice `lists`."""

    name = "postroad.community.lists"
    label = "lists"
