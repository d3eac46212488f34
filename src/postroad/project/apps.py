"""Django's label of the wiring."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ProjectConfig(AppConfig):
    """The floor that knows every slice."""

    name = "postroad.project"
    label = "project"

    def ready(self) -> None:
        """Leave out Django's rows of permissions, which each upgrade would write: rights are said by roles."""
        from django.contrib.contenttypes.management import create_contenttypes

        post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
        post_migrate.disconnect(create_contenttypes)
