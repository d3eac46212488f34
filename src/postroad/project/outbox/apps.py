"""Django's label of the outbox pages."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Pages only; the mails are delivery's."""

    name = "postroad.project.outbox"
    label = "outbox"
