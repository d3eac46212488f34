"""A list with readers of every kind of digest, and posts that go through the stages to the relay's door."""

import email
import email.policy
import time
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from postroad.community.lists import actions as lists
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.queries import recipients
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import message_id_of
from postroad.foundation.message.segments import decode
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.queue.models import Job
from postroad.foundation.storage import actions as storage
from postroad.mailflow.timetable import ISSUES, STAGES

MODES = {
    "plain": "plaintext_digests", "mime": "mime_digests", "summary": "summary_digests", "html": "html_digests",
    "regular": "regular",
}  # fmt: skip


@pytest.fixture
def ants(db):
    lists.create_domain("example.com")
    made = lists.create_list("ants@example.com")
    lists.change_settings(made, {"digest_size_threshold": 0.0})
    return made


@pytest.fixture
def join(ants) -> Callable:
    """Put an address on the ants: `join("anne@example.org", "mime")`."""

    def run(address: str, mode: str = "", **options):
        wishes = {"pre_verified": True, "pre_confirmed": True, "pre_approved": True, "send_welcome_message": False}
        wanted = {"delivery_mode": MODES[mode]} if mode else {}
        return subscriptions.join(ants, address, **wishes, **wanted, **options).member

    return run


@pytest.fixture
def readers(join) -> None:
    """One reader of each kind."""
    for mode in MODES:
        join(f"{mode}@example.org", mode)


def mail(body: bytes = b"Hello ants.\r\n", **fields: str | None) -> bytes:
    """A mail by Anne to the ants; `subject=None` leaves a field out."""
    given = {name.replace("_", "-").title(): value for name, value in fields.items()}
    everything = {
        "From": "Anne Person <anne@example.org>", "To": "ants@example.com", "Subject": "Hello",
        "Message-Id": f"<{time.monotonic_ns()}@example.org>", "Date": "Mon, 01 Jan 2024 10:00:00 +0000", **given,
    }  # fmt: skip
    return "".join(f"{k}: {v}\r\n" for k, v in everything.items() if v is not None).encode() + b"\r\n" + body


@pytest.fixture
def collect(ants) -> Callable[..., str]:
    """Hand a mail to the digest as the pipeline does; its Message-ID."""

    def run(raw: bytes) -> str:
        message_id = message_id_of(Headers.parse(raw)) or "none@example.org"
        queue.put(
            "digests",
            Envelope(
                journey=queue.new_journey(), message=storage.store(raw), message_id=message_id, received_at=time.time(),
                size=len(raw), list_id=ants.list_id,
            ),
        )  # fmt: skip
        work()
        return message_id

    return run


def work() -> None:
    """Let the stages up to the delivery work until nothing is left to do; what fails, fails the test."""
    stages = {stage.queue: stage for stage in (*STAGES, *ISSUES)}
    while (job := Job.objects.filter(queue__in=["digests", "issues", "pipeline"]).order_by("pk").first()) is not None:
        stage = stages[job.queue]
        envelope = queue.decode(bytes(job.envelope))
        stage.do([envelope], *([stage.outside(envelope)] if stage.outside else []))
        job.delete()


class Sent:
    """A digest at the relay's door: the mail of one copy, and who gets one."""

    def __init__(self, ants, envelope: Envelope) -> None:
        template = decode(storage.load(envelope.template))
        self.raw = template.render({slot: f"<{slot}>" for slot in template.slots})
        self.mail: EmailMessage = email.message_from_bytes(self.raw, policy=email.policy.default)
        self.readers = sorted(r.email for r in recipients(ants.pk, 0, 1000, digest=envelope.digest))

    @property
    def subject(self) -> str:
        return str(self.mail["subject"])

    @property
    def text(self) -> str:
        """The text of a plain digest."""
        return self.mail.get_content().replace("\r\n", "\n")


@pytest.fixture
def sent(ants) -> Callable[..., dict[str, Sent]]:
    """What waits for delivery by one of its readers' kinds, and is taken away."""

    def run() -> dict[str, Sent]:
        work()
        jobs = Job.objects.filter(queue="delivery").order_by("pk")
        digests = [Sent(ants, queue.decode(bytes(job.envelope))) for job in jobs]
        jobs.delete()
        return {reader.partition("@")[0]: digest for digest in digests for reader in digest.readers}

    return run
