"""Private is private: every address of the archive passes one gate."""

import re

import pytest
from django.urls import get_resolver

from postroad.community.lists import actions as lists
from postroad.community.people import actions as people
from postroad.community.subscriptions import actions as subscriptions
from postroad.mailflow.archive.models import Favorite, LastView, Mail, Tag, Thread, Vote

pytestmark = pytest.mark.django_db

MARK = "xyzzyplover"
ROLES = ("anonymous", "stranger", "former", "nonmember", "unverified", "member", "moderator", "owner", "superuser")
READERS = {"member", "moderator", "owner", "superuser"}
MODERATORS = {"moderator", "owner", "superuser"}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def secret(ant, archive):
    """A private list with one marked mail that has an attachment."""
    mailing_list = lists.create_list("secret@example.com")
    lists.change_settings(mailing_list, {"archive_policy": "private", "display_name": MARK, "advertised": False})
    archive(
        "one", f"--x\nContent-Type: text/plain\n\n{MARK}\n--x\nContent-Disposition: attachment; filename={MARK}.png\n"
        f"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n{PIXEL}\n--x--\n",
        mailing_list=mailing_list, subject=MARK, content_type="multipart/mixed; boundary=x",
    )  # fmt: skip
    return mailing_list


@pytest.fixture
def visitor(client, secret):
    """A client signed in as somebody of this role on the private list."""

    def signed_in(role: str):
        if role == "anonymous":
            return client
        address = f"{role}@example.net"
        user = people.create_user(address, is_server_owner=role == "superuser")
        found = people.ensure_address(address)
        people.link_address(user, found) if found.user_id is None else None
        if role != "unverified":
            people.verify(found)
        options = {"pre_verified": role != "unverified", "pre_confirmed": True, "pre_approved": True}
        if role in ("member", "former", "unverified"):
            outcome = subscriptions.join(secret, address, send_welcome_message=False, **options)
            if role == "former":
                subscriptions.leave(outcome.member, pre_confirmed=True, pre_approved=True)
            if role == "unverified":
                people.unverify(people.ensure_address(address))
        elif role in ("moderator", "owner", "nonmember"):
            subscriptions.join(secret, address, role=role, **options)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


def doors(mailing_list) -> list[str]:
    """Every address of the archive, filled in for this list's only mail; a new route is in it by itself."""
    mail = mailing_list.archived.select_related("thread").get()
    values = {
        "list_id": mailing_list.list_id, "hash_": mail.message_id_hash, "key": mail.thread.key, "number": 1,
        "year": mail.date.year, "month": mail.date.month, "message_id": mail.message_id,
        "name": mailing_list.fqdn_listname, "sender": mail.sender_email,
    }  # fmt: skip
    resolver = next(r for r in get_resolver().url_patterns if getattr(r, "app_name", "") == "archive")
    found = []
    for pattern in resolver.url_patterns:
        path = "/" + str(pattern.pattern)
        for name, converter in pattern.pattern.converters.items():
            prefix = f"<{type(converter).__name__.removesuffix('Converter').lower().replace('string', 'str')}:{name}>"
            assert prefix in path, (path, prefix)
            path = path.replace(prefix, str(values[name]))
        found.append(path)
    return found


@pytest.mark.parametrize("role", ROLES)
def test_a_private_list_shows_itself_to_its_people_only(secret, visitor, role):
    client = visitor(role)
    for path in doors(secret):
        answer = client.get(path, {"q": MARK})
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        if answer.status_code in (401, 405) or answer.get("Location", "").startswith("/accounts/login/"):
            assert MARK.encode() not in body
        elif role in READERS:
            forbidden = role not in MODERATORS and path.endswith(("/delete/", "/reattach/"))
            assert answer.status_code == 403 if forbidden else answer.status_code in (200, 302), path
            assert answer["Cache-Control"] in ("private, no-store", "private, no-cache")
        elif "secret" in path:
            assert answer.status_code == 404, path
        else:
            echo = re.compile(rb"(value|title)=\"xyzzyplover\"|<title>xyzzyplover |q=xyzzyplover")
            assert MARK.encode() not in echo.sub(b"", body), path


@pytest.mark.parametrize("role", [role for role in ROLES if role not in READERS])
def test_nobody_from_outside_changes_a_private_list(secret, visitor, role):
    client = visitor(role)
    before = everything()
    for path in doors(secret):
        for wish in ({"vote": "1"}, {"tag": "x"}, {"wanted": "1"}, {"category": "todo"}, {"parent": "x"}, {}):
            answer = client.post(path, wish)
            assert answer.status_code in (302, 401, 404, 405), path
            assert MARK.encode() not in answer.content
    assert everything() == before


def everything() -> list[object]:
    models = (Mail, Thread, Vote, Tag, Favorite, LastView)
    return [sorted(model.objects.values_list()) for model in models]


@pytest.mark.parametrize("path", ["delete/", "reattach/", "category/"])
def test_a_member_does_not_tend_the_archive(secret, visitor, path):
    client = visitor("member")
    key = Thread.objects.get().key
    answer = client.post(f"/lists/secret.example.com/thread/{key}/{path}", {"category": "todo", "parent": key})
    assert answer.status_code == 403
    assert Thread.objects.get().category == ""


def test_a_get_changes_nothing(secret, visitor):
    client = visitor("owner")
    before = everything()
    for path in doors(secret):
        client.get(path)
    assert everything() == before


def test_a_hidden_list_and_one_that_is_not_there_look_the_same(client, secret):
    hidden = client.get("/lists/secret.example.com/").content
    absent = client.get("/lists/absent.example.com/").content
    assert hidden == absent


def test_a_list_that_archives_no_more_is_shown_to_nobody(client, ant, archive):
    archive("one")
    lists.change_settings(ant, {"archive_policy": "never"})
    assert client.get("/lists/ant.example.com/").status_code == 404
