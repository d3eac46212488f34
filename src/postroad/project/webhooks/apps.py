"""Django's label of the pages about webhooks."""

from django.apps import AppConfig


class WebhookPagesConfig(AppConfig):
    """Pages and REST only; the rows are the foundation's."""

    name = "postroad.project.webhooks"
    label = "webhook_pages"
