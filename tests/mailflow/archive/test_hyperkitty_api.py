"""A Mailman Core archives here by its HyperKitty plugin, and programs read what HyperKitty's API told them."""

import dataclasses

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from postroad.community.lists import actions as lists
from postroad.foundation.message.message_id import message_id_hash
from postroad.foundation.sections import Archive
from postroad.mailflow.archive.models import Mail
from tests.mailflow.archive.conftest import mail_bytes

pytestmark = pytest.mark.django_db

KEY = {"Authorization": "Token sesame"}
BASE = "https://lists.example.com"


@pytest.fixture
def core(client, settings):
    """Mailman Core as it calls, with the key."""
    site = dataclasses.replace(settings.POSTROAD.site, base_url=BASE)
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, site=site, archive=Archive(hyperkitty_key="sesame"))
    return client


def bring(core, raw: bytes, mlist: str = "ant@example.com", headers=KEY, path: str = "/hyperkitty/api/mailman/archive"):
    return core.post(path, {"mlist": mlist, "message": SimpleUploadedFile("message.txt", raw)}, headers=headers)


@pytest.mark.parametrize("prefix", ["hyperkitty", "archives"])
def test_core_brings_a_mail_and_hears_where_it_stands(core, ant, prefix):
    answer = bring(core, mail_bytes("one"), path=f"/{prefix}/api/mailman/archive")
    url = f"{BASE}/lists/ant.example.com/message/{message_id_hash('one@example.com')}/"
    assert (answer.status_code, answer.json()) == (200, {"url": url})
    told = core.get(
        f"/{prefix}/api/mailman/urls", {"mlist": "ant@example.com", "msgid": "<one@example.com>"}, headers=KEY
    )
    assert told.json() == {"url": url}
    assert core.get(url.removeprefix(BASE)).status_code == 200


def test_the_same_mail_twice_is_archived_once(core, ant):
    assert bring(core, mail_bytes("one")).json() == bring(core, mail_bytes("one")).json()
    assert Mail.objects.count() == 1


def test_a_list_that_keeps_no_archive_gets_none_and_core_no_error(core, ant):
    lists.change_settings(ant, {"archive_policy": "never"})
    assert bring(core, mail_bytes("one")).status_code == 200
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Authorization": "Token wrong"}, 401), ({"Authorization": "Basic sesame"}, 401)],
)
def test_without_the_key_nobody_archives(core, ant, headers, status):
    assert bring(core, mail_bytes("one"), headers=headers).status_code == status
    assert (
        core.get("/hyperkitty/api/mailman/urls?mlist=ant@example.com&key=sesame", headers=headers).status_code == status
    )
    assert not Mail.objects.exists()


def test_from_an_address_that_is_not_known_nobody_archives(core, ant):
    file = SimpleUploadedFile("message.txt", mail_bytes("one"))
    answer = core.post(
        "/hyperkitty/api/mailman/archive", {"mlist": "ant@example.com", "message": file}, headers=KEY,
        REMOTE_ADDR="192.0.2.1",
    )  # fmt: skip
    assert answer.status_code == 403


def test_a_site_without_a_key_takes_nothing(client, ant):
    assert bring(client, mail_bytes("one"), headers={"Authorization": "Token "}).status_code == 401


def test_what_cannot_be_archived_is_told(core, ant):
    assert bring(core, mail_bytes("one"), mlist="bee@example.com").status_code == 404
    assert bring(core, b"Subject: no id\n\nx\n").status_code == 400
    assert core.post("/hyperkitty/api/mailman/archive", {"mlist": "ant@example.com"}, headers=KEY).status_code == 400
    assert core.get("/hyperkitty/api/mailman/urls", headers=KEY).status_code == 400
    assert core.get("/hyperkitty/api/mailman/archive", headers=KEY).status_code == 405


def test_programs_read_lists_threads_and_mails(core, archive):
    archive("one", "the text\n", sender="Anne <anne@example.com>")
    archive("two", references=("one",), days=1)
    base = "/hyperkitty/api/list/ant@example.com/"
    assert [row["name"] for row in core.get("/hyperkitty/api/lists/").json()] == ["ant@example.com"]
    thread = core.get(f"{base}threads/").json()[0]
    assert (thread["subject"], thread["replies_count"], thread["votes_total"]) == ("Ants", 1, 0)
    page = core.get(f"{base}emails/", {"limit": 1}).json()
    assert page["count"] == 2
    assert page["next"] == f"{BASE}{base}emails/?limit=1&offset=1"
    first = core.get(f"{base}email/{message_id_hash('one@example.com')}/").json()
    assert first["content"].strip() == "the text"
    assert first["sender"]["address"] == "anne (a) example.com"
    assert first["children"] == [f"{BASE}{base}email/{message_id_hash('two@example.com')}/"]
    detail = core.get(thread["url"].removeprefix(BASE)).json()
    assert detail["participants"] == [
        {"name": "Anne", "email": "anne (a) example.com"},
        {"name": "Anne Person", "email": "anne (a) example.com"},
    ]
    ordered = core.get(thread["emails"].removeprefix(BASE)).json()
    assert [mail["message_id"] for mail in ordered] == ["one@example.com", "two@example.com"]
    assert len(core.get("/hyperkitty/api/sender/anne@example.com/emails/").json()) == 2
    assert core.get("/hyperkitty/api/list/none@example.com/emails/").status_code == 404
