"""Django's label of the moderators' pages."""

from django.apps import AppConfig


class ModeratorsConfig(AppConfig):
    """Pages only; what they do are verbs of moderation, subscriptions and notices."""

    name = "postroad.project.moderators"
    label = "moderators"
