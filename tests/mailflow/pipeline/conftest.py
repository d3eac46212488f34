"""A list, and mails made ready for its members as the pipeline stage makes them."""

import time
from collections.abc import Callable

import pytest

from postroad.community.lists import actions as lists
from postroad.community.subscriptions import actions as subscriptions
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.lines import with_crlf
from postroad.foundation.queue.envelope import Envelope
from postroad.mailflow.pipeline.compile import template_of
from postroad.mailflow.pipeline.draft import Draft
from postroad.mailflow.pipeline.worker import for_members, prepare

PLAIN = b"Hello ants,\r\nthis is a post.\r\n"
NO_DECORATION = "list:member:regular:footer"


def mail(body: bytes = PLAIN, **fields: str | None) -> bytes:
    """A mail by Anne to the ants; `subject=None` leaves a field out, `list_post=` is List-Post."""
    given = {name.replace("_", "-").title(): value for name, value in fields.items()}
    everything = {
        "From": "Anne Person <anne@example.org>", "To": "ant@example.com", "Subject": "Hello",
        "Message-Id": "<one@example.org>", "Date": "Mon, 01 Jan 2024 00:00:00 +0000", **given,
    }  # fmt: skip
    header = "".join(f"{name}: {value}\r\n" for name, value in everything.items() if value is not None)
    return header.encode() + b"\r\n" + body


@pytest.fixture
def join(ant) -> Callable:
    """Put an address on the ants: `join("bart@example.org", delivery_status="by_user")`."""

    def run(email: str, name: str = "", role: str = "member", **preferences):
        wishes = {"pre_verified": True, "pre_confirmed": True, "pre_approved": True, "send_welcome_message": False}
        member = subscriptions.join(ant, email, role=role, display_name=name, **wishes).member
        for key, value in preferences.items():
            setattr(member, key, value)
        member.save()
        return member

    return run


def envelope(mailing_list, raw: bytes, **values) -> Envelope:
    """What moderation hands over with an accepted mail."""
    given = {
        "journey": "test", "message": "", "message_id": "one@example.org", "received_at": time.time(), "size": len(raw),
        "list_id": mailing_list.list_id, "sender": "anne@example.org", **values,
    }  # fmt: skip
    return Envelope(**given)


@pytest.fixture
def draft(ant) -> Callable[..., Draft]:
    """The mail with everything the members' copies get: `draft(mail(), {"subject_prefix": ""}, kind="owner")`."""

    def run(raw: bytes, config: dict | None = None, **values) -> Draft:
        if config:
            lists.change_settings(ant, config)
        prepared = prepare(ant, envelope(ant, raw, **values), with_crlf(raw))
        if not prepared.disposal:
            for_members(prepared)
        return prepared

    return run


@pytest.fixture
def copy(draft) -> Callable[..., bytes]:
    """One member's copy, slots filled with their own names."""

    def run(raw: bytes, config: dict | None = None, **values) -> bytes:
        template = template_of(draft(raw, config, **values))
        return template.render({slot: f"<{slot}>" for slot in template.slots})

    return run


def header(data: bytes, name: str) -> list[str]:
    """The unfolded values of a field."""
    return Headers.parse(data).get_all(name)


def body_of(data: bytes) -> bytes:
    """What stands behind the header."""
    return data[Headers.parse(data).body_offset :]


def parsed(data: bytes):
    """As the standard library reads it: somebody else's view of what we made."""
    import email

    return email.message_from_bytes(data)


def structure(message) -> str:
    """Types of a parsed mail, nested: `multipart/mixed(text/plain, image/png)`."""
    if not message.is_multipart():
        return message.get_content_type()
    return f"{message.get_content_type()}({', '.join(structure(part) for part in message.get_payload())})"
