"""Django's label of this slice."""

from django.apps import AppConfig


class StorageConfig(AppConfig):
    """The slice `storage`."""

    name = "postroad.foundation.storage"
    label = "storage"
