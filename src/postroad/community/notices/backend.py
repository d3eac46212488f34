"""Django's mail (sign-in codes, verification) goes the same road as every notice."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from postroad.community.notices.actions import send


class QueueBackend(BaseEmailBackend):
    """Queues what Django sends."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Queue each mail; how many."""
        for message in email_messages:
            send(
                list_id="", from_=message.from_email, to=message.to, to_header=", ".join(message.to),
                subject=str(message.subject), body=str(message.body), headers={"Precedence": ""},
            )  # fmt: skip
        return len(email_messages)
