"""A list with held posts and requests, and people who may do something with it, and others."""

import pytest

from postroad.community.lists import actions as lists
from postroad.community.people import actions as people
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.requests import for_moderators
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation.queries import held_messages
from postroad.mailflow.moderation.worker import work

ROLES = ("anonymous", "stranger", "member", "unverified owner", "moderator", "owner", "superuser")


@pytest.fixture
def ant(db):
    """ant@example.com, where members are asked for by a moderator and strangers' posts wait."""
    lists.create_domain("example.com")
    mailing_list = lists.create_list("ant@example.com")
    lists.change_settings(mailing_list, {"subscription_policy": "moderate", "dmarc_mitigate_action": "no_mitigation"})
    return mailing_list


@pytest.fixture
def hold(ant):
    """Let a stranger's post be held; the held message."""

    def held(number: int = 1, subject: str = "Hello", body: str = "Hi there.\r\n", more: str = ""):
        raw = (
            f"From: Eve <eve{number}@example.net>\r\nTo: ant@example.com\r\nSubject: {subject}\r\n"
            f"Message-ID: <{number}@example.net>\r\n{more}\r\n{body}"
        ).encode()
        work(
            Envelope(
                journey=f"j{number}", message=storage.store(raw), message_id=f"{number}@example.net", received_at=0.0,
                list_id=ant.list_id, sender=f"eve{number}@example.net", size=len(raw), recipient="ant@example.com",
            )
        )  # fmt: skip
        return held_messages(ant).get(message_id=f"{number}@example.net")

    return held


@pytest.fixture
def ask(ant):
    """Let somebody ask to join; the request."""

    def asked(email: str):
        subscriptions.join(ant, email, pre_verified=True, pre_confirmed=True)
        return for_moderators(ant).get(email=email)

    return asked


@pytest.fixture
def visitor(client, ant):
    """A client signed in as somebody of this role on the list."""

    def signed_in(role: str):
        if role == "anonymous":
            return client
        address = f"{role.replace(' ', '-')}@example.org"
        user = people.create_user(address, is_server_owner=role == "superuser")
        found = people.ensure_address(address)
        if found.user_id is None:
            people.link_address(user, found)
        people.verify(found)
        kind = role.rsplit(maxsplit=1)[-1]
        if kind in ("member", "owner", "moderator"):
            subscriptions.join(ant, address, role=kind, pre_verified=True, pre_confirmed=True, pre_approved=True)
        if role == "unverified owner":
            people.unverify(people.ensure_address(address))
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in
