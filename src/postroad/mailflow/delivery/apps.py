"""Django's label of this slice."""

from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    """The slice `delivery`."""

    name = "postroad.mailflow.delivery"
    label = "delivery"
