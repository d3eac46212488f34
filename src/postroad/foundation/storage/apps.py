"""Django's label of this slice."""

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


class StorageConfig(AppConfig):
    """The slice `storage`."""

    name = "postroad.foundation.storage"
    label = "storage"

    def ready(self) -> None:
        """Prepare each connection that is made from now on."""
        connection_created.connect(_prepare)


def _prepare(connection: BaseDatabaseWrapper, **_: object) -> None:
    if connection.vendor == "postgresql":
        from postroad.foundation.storage.moments import read_plainly

        read_plainly(connection)
