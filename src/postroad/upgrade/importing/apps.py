"""Django's label of the importers' own tables."""

from django.apps import AppConfig


class ImportingConfig(AppConfig):
    """What was imported from where."""

    name = "postroad.upgrade.importing"
    label = "importing"
