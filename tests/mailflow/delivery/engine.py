"""The delivery process as a test runs it: against a scripted relay, until a condition holds."""

import asyncio
import contextlib
import dataclasses
import time

import msgspec
from django.conf import settings

from postroad.community.subscriptions import actions as subscriptions
from postroad.foundation.message.segments import Slot, Template, encode
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.delivery import worker
from postroad.mailflow.delivery.models import Chunk

TEMPLATE = Template([b"Subject: hello\r\nX-For: ", Slot("user_email", "header"), b"\r\n\r\nhello\r\n"])


def members(mailing_list, number: int, host: str = "example.net") -> list[str]:
    emails = [f"m{index}@{host}" for index in range(number)]
    for email in emails:
        subscriptions.join(
            mailing_list, email, pre_verified=True, pre_confirmed=True, pre_approved=True, send_welcome_message=False
        )
    return emails


def send(**changes) -> Envelope:
    envelope = Envelope(
        journey=queue.new_journey(), message=storage.store(b"Subject: hello\r\n\r\nhello\r\n"), message_id="one@example.org",
        received_at=time.time(), list_id="dogs.example.com", template=storage.store(encode(TEMPLATE)),
    )  # fmt: skip
    for name, value in changes.items():
        envelope = msgspec.structs.replace(envelope, **{name: value})
    queue.put("delivery", envelope)
    return envelope


def deliver(relay, until, monkeypatch, seconds: float = 20, **mail) -> None:
    """Run the delivery process until the condition holds, then end it in good order."""

    async def run() -> None:
        async with relay:
            configuration = dataclasses.replace(
                settings.POSTROAD,
                smtp=dataclasses.replace(settings.POSTROAD.smtp, port=relay.port, connections=4),
                mail=dataclasses.replace(settings.POSTROAD.mail, **mail),
            )
            monkeypatch.setattr(settings, "POSTROAD", configuration)
            stop = asyncio.Event()
            engine = worker.Delivery()
            task = asyncio.create_task(engine.run(stop))
            async with asyncio.timeout(seconds):
                while not task.done():
                    with contextlib.suppress(RuntimeError):  # It ended, and its thread with it.
                        if await engine._in_database(until):
                            break
                    await asyncio.sleep(0.01)
            stop.set()
            return await task

    asyncio.run(run())


def finished() -> bool:
    return Chunk.objects.filter(done=True).exists()
