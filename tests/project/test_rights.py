"""One table of rights holds on every surface: pages, tokens, answers by mail and archives."""

import time

import pytest

from postroad.community.access.actions import make_token
from postroad.community.access.queries import caller_of
from postroad.community.lists import actions as lists
from postroad.community.lists.models import MailingList
from postroad.community.people import actions as people
from postroad.community.people.models import User
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions import rights
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.foundation.webhooks.actions import make_webhook
from postroad.mailflow.archive import queries as archive
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.moderation.worker import work
from postroad.project.moderators.urls import urlpatterns as moderators
from postroad.project.webhooks.urls import urlpatterns as webhooks

pytestmark = pytest.mark.django_db

TABLE = {
    "the server's owner": "site",
    "an owner of the domain": "manage",
    "an owner of the list": "manage",
    "an owner who takes no mail": "manage",
    "a moderator": "moderate",
    "an owner by an address that is not verified": None,
    "a member": None,
    "an owner of another list": None,
    "an owner of another domain": None,
    "a stranger": None,
    "an owner whose account is closed": None,
}
BY_MAIL = {**TABLE, "an owner by an address that is not verified": "manage"}
"""What a mail is granted that has proved its author's address, verified here or not."""
READERS = {**TABLE, "a member": "moderate"}
"""A private archive is read by its list's members as by moderators."""
ORDER = (None, "read", "moderate", "manage", "site")
PAGES = {
    "held": "moderate", "held_one": "moderate", "held_raw": "moderate", "requests": "moderate", "texts": "manage",
    "text": "manage", "all": "manage", "one": "manage",
}  # fmt: skip
"""What each page of a list asks for; a page that is missing here fails."""


@pytest.fixture
def ant() -> MailingList:
    for name in ("example.com", "example.net"):
        lists.create_domain(name)
    lists.create_list("bee@example.com")
    ant = lists.create_list("ant@example.com")
    lists.change_settings(ant, {"archive_policy": "private", "advertised": False})
    return ant


def person(kind: str, ant: MailingList) -> User:
    email = f"{kind.replace(' ', '-').replace(chr(39), '')}@people.example"
    user = people.create_user(email, is_server_owner=kind == "the server's owner")
    address = user.addresses.get()
    people.verify(address)
    match kind:
        case "an owner of the domain":
            ant.domain.owners.add(user)
        case "an owner of another domain":
            type(ant.domain).objects.get(mail_host="example.net").owners.add(user)
        case "an owner of another list":
            subscriptions.join(MailingList.objects.get(list_name="bee"), email, role="owner")
        case "a member" | "a moderator":
            sure = {"pre_verified": True, "pre_confirmed": True, "pre_approved": True}
            subscriptions.join(ant, email, role=kind.rpartition(" ")[2], **sure)
        case _ if kind.startswith("an owner"):
            owner = subscriptions.join(ant, email, role="owner").member
            if kind == "an owner who takes no mail":
                subscriptions.set_preferences(owner, {"delivery_status": "by_user"})
    if kind == "an owner by an address that is not verified":
        people.unverify(address)
    if kind == "an owner whose account is closed":
        User.objects.filter(pk=user.pk).update(is_active=False)
    user.refresh_from_db()
    return user


def hold(ant: MailingList) -> HeldMessage:
    raw = b"From: eve@evil.example\r\nTo: ant@example.com\r\nSubject: Hi\r\nMessage-ID: <1@evil.example>\r\n\r\nHi.\r\n"
    work(
        Envelope(
            journey="j", message=storage.store(raw), message_id="1@evil.example", received_at=time.time(),
            list_id=ant.list_id, sender="eve@evil.example", size=len(raw), recipient="ant@example.com",
        )
    )  # fmt: skip
    return HeldMessage.objects.get()


def includes(right: str | None, wanted: str) -> bool:
    return ORDER.index(right) >= ORDER.index(wanted)


@pytest.mark.parametrize("kind", TABLE)
def test_every_surface_grants_what_the_table_says(ant, client, kind):
    user = person(kind, ant)
    email = user.addresses.get().email
    wrong = []

    def check(what: str, needed: str, *, granted: bool, table: dict[str, str | None] = TABLE) -> None:
        if granted != includes(table[kind], needed):
            wrong.append(f"{what}: {'granted' if granted else 'refused'}")

    post, hook = hold(ant), make_webhook("https://hooks.example/x", [], list_id=ant.list_id)
    arguments = {"list_id": ant.list_id, "request_id": post.request_id, "name": "list:user:notice:hold", "pk": hook.pk}
    if user.is_active:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    for pattern in (page for page in (*moderators, *webhooks) if "list_id" in str(page.pattern)):
        path = "/" + str(pattern.pattern)
        for converter, name in (("str", "list_id"), ("int", "request_id"), ("str", "name"), ("int", "pk")):
            path = path.replace(f"<{converter}:{name}>", str(arguments[name]))
        check(path, PAGES[pattern.name], granted=client.get(path).status_code == 200)
    reads = archive.readable_lists(user).filter(pk=ant.pk).exists()
    check("a private archive", "moderate", granted=reads, table=READERS)
    shown = archive.shown_lists(user).filter(pk=ant.pk).exists()
    check("a hidden list on the overview", "moderate", granted=shown, table=READERS)
    for scope in ("read", "moderate", "manage"):
        caller = caller_of(make_token(user, scope, scope)[1])
        check(f"a token to {scope}", scope, granted=caller is not None and caller.may(scope, ant.list_id))
    by_mail = rights.moderates_by_mail(email, ant.pk)
    check("a moderator's word by mail", "moderate", granted=by_mail, table=BY_MAIL)
    assert not wrong, f"{kind} ({TABLE[kind]}): " + "; ".join(wrong)
