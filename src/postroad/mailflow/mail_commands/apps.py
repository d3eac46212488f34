"""Django's label of this slice."""

from django.apps import AppConfig


class MailCommandsConfig(AppConfig):
    """The slice `mail_commands`."""

    name = "postroad.mailflow.mail_commands"
    label = "mail_commands"
