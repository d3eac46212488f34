"""A list to join, and the mail that joining causes."""

import re
from dataclasses import dataclass

import pytest

from postroad.community.lists import actions as lists
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.foundation.storage import actions as storage


@pytest.fixture
def ants():
    lists.create_domain("join.example")
    return lists.create_list("ants@join.example")


@dataclass(frozen=True)
class Mail:
    """One mail that waits for the pipeline."""

    to: tuple[str, ...]
    text: str

    @property
    def secret(self):
        """The token of a confirmation, from its address."""
        return re.search(r"-confirm\+([0-9a-f]{40})@", self.text)[1]

    @property
    def subject(self):
        return re.search(r"^Subject: (.*?)\r?$", self.text, re.MULTILINE)[1]


@pytest.fixture
def mails():
    """Takes what was written since it was asked last."""

    def take():
        jobs = Job.objects.filter(queue="pipeline").order_by("id")
        found = [decode(bytes(job.envelope)) for job in jobs]
        jobs.delete()
        return [Mail(e.recipients, storage.load(e.message).decode()) for e in found]

    return take
