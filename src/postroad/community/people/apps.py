"""Django's label of this slice."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """The slice `people`."""

    name = "postroad.community.people"
    label = "people"
