"""Django's label of this part of the foundation."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Webhooks and what became of their deliveries."""

    name = "postroad.foundation.webhooks"
    label = "webhooks"
