"""Private is private: every address of the archive passes one gate."""

import pytest
from django.urls import get_resolver

from postroad.community.lists import actions as lists
from postroad.community.people import actions as people
from postroad.community.subscriptions import actions as subscriptions

pytestmark = pytest.mark.django_db

MARK = "xyzzyplover"
ROLES = ("anonymous", "stranger", "former", "nonmember", "unverified", "member", "moderator", "owner", "superuser")
READERS = {"member", "moderator", "owner", "superuser"}


@pytest.fixture
def secret(ant, archive):
    """A private list with one marked mail that has an attachment."""
    mailing_list = lists.create_list("secret@example.com")
    lists.change_settings(mailing_list, {"archive_policy": "private", "display_name": MARK, "advertised": False})
    archive(
        "one", f"--x\nContent-Type: text/plain\n\n{MARK}\n--x\nContent-Disposition: attachment; filename={MARK}.txt\n"
        f"Content-Type: text/plain\n\n{MARK}\n--x--\n",
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
        "year": mail.date.year, "month": mail.date.month,
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
        if role in READERS:
            assert answer.status_code == 200, (path, answer.status_code)
            assert answer["Cache-Control"] == "private, no-store"
        elif "secret" in path:
            assert answer.status_code == 404, path
        else:
            assert MARK.encode() not in body.replace(f'value="{MARK}"'.encode(), b"").replace(
                f"<title>{MARK} ".encode(), b""
            ), path


def test_a_hidden_list_and_one_that_is_not_there_look_the_same(client, secret):
    hidden = client.get("/lists/secret.example.com/").content
    absent = client.get("/lists/absent.example.com/").content
    assert hidden == absent


def test_a_list_that_archives_no_more_is_shown_to_nobody(client, ant, archive):
    archive("one")
    lists.change_settings(ant, {"archive_policy": "never"})
    assert client.get("/lists/ant.example.com/").status_code == 404
