"""Django's label of this slice."""

from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    """The slice `subscriptions`."""

    name = "postroad.community.subscriptions"
    label = "subscriptions"
