"""Django's label of the pages to write to a list."""

from django.apps import AppConfig


class PostingConfig(AppConfig):
    """Pages only: what is written goes the way of all mail."""

    name = "postroad.project.posting"
    label = "posting"
