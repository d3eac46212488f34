"""A list with members, and a way to write to its command addresses."""

import time

import pytest

from postroad.community.lists import actions as lists
from postroad.community.subscriptions import actions as subscriptions
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope, decode
from postroad.foundation.queue.models import Job, Step
from postroad.foundation.storage import actions as storage
from postroad.mailflow.mail_commands.worker import work


@pytest.fixture
def ants():
    lists.create_domain("commands.example")
    return lists.create_list("ants@commands.example")


@pytest.fixture
def anne(ants):
    return subscriptions.join(
        ants, "anne@example.org", pre_verified=True, pre_confirmed=True, send_welcome_message=False
    ).member


@pytest.fixture
def olga(ants):
    return subscriptions.join(ants, "olga@example.org", role="owner").member


class Post:
    """Mail to the command addresses, and what it causes."""

    def __init__(self, mailing_list):
        self.mailing_list = mailing_list

    def __call__(self, to, sender, subject="", body="", envelope_sender=None, **headers):
        """Write to a sub-address such as `request`; the outcome in the journey."""
        kind = to.partition("+")[0]
        fields = {"From": sender, "Subject": subject, "Message-ID": f"<{time.time_ns()}@example.org>", **headers}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
        data = f"{head}\r\n{body}".encode()
        work(
            Envelope(
                journey=queue.new_journey(), message=storage.store(data), message_id="m@example.org", kind=kind,
                received_at=time.time(), list_id=self.mailing_list.list_id, size=len(data),
                sender=sender.partition("<")[2].strip(">") or sender if envelope_sender is None else envelope_sender,
                recipient=self.mailing_list.address(to),
            )
        )  # fmt: skip
        return Step.objects.filter(stage="mail_commands").last().reason

    def answers(self):
        """Recipient and text of every mail written since it was asked last."""
        jobs = Job.objects.filter(queue="pipeline").order_by("id")
        found = [decode(bytes(job.envelope)) for job in jobs]
        jobs.delete()
        return [(e.recipients, storage.load(e.message).decode().replace("\r\n", "\n")) for e in found]

    def answer(self):
        """The text of the one answer."""
        ((_, text),) = self.answers()
        return text


@pytest.fixture
def post(ants):
    return Post(ants)
