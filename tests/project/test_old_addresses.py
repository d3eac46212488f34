"""Addresses of pipermail, HyperKitty, Postorius and Mailman 2.1 lead to the right place, and tell no secrets."""

import pytest
from django.test import Client

from postroad.community.lists import actions as lists
from postroad.community.people import actions as people
from postroad.community.subscriptions.actions import join
from postroad.mailflow.archive.actions import Incoming, archive
from postroad.mailflow.archive.models import OldAddress

LIST = "/lists/ant.example.com"
TOKEN = "2e4370e0a570a4577380defcc2aa7500b1196ab6"


@pytest.fixture
def mail(db):
    lists.create_domain("example.com")
    ant = lists.create_list("ant@example.com")
    raw = b"From: a@example.com\nSubject: Ants\nDate: Mon, 1 Mar 2004 10:00:00 +0000\nMessage-ID: <a@x>\n\nHi\n"
    mail = archive(ant, Incoming(raw, "a@x", 0.0))
    for old in ("000123.html", "attachments/29967f21"):
        OldAddress.objects.create(mailing_list=ant, path=old, mail=mail)
    return mail


def targets(mail):
    message, month = f"{LIST}/message/{mail.message_id_hash}/", f"{LIST}/archive/2004/3/"
    thread = f"{LIST}/thread/{mail.thread.key}/"
    archived = {
        "pipermail/ant": f"{LIST}/", "pipermail/ant/": f"{LIST}/", "pipermail/ant/index.html": f"{LIST}/",
        "pipermail/ant/2004-March/000123.html": message, "pipermail/ant/2004-April/000123.html": message,
        "pipermail/ant/2004-March/123.html": message, "pipermail/ant/2004-March/": month,
        "pipermail/ant/2004-March/thread.html": month, "pipermail/ant/2004-March/date.html": month,
        "pipermail/ant/2004-March/author.html": month, "pipermail/ant/2004-March/subject.html": month,
        "pipermail/ant/2004-March.txt.gz": f"{LIST}/archive/2004/3.mbox.gz",
        "pipermail/ant/2004-March.txt": f"{LIST}/archive/2004/3.mbox.gz",
        "pipermail/ant/Week-of-Mon-20040301/000123.html": message, "pipermail/ant/20040301/thread.html": month,
        "pipermail/ant/2004q1/thread.html": month,
        "pipermail/ant/2004/thread.html": month, "pipermail/ant/2005-March/thread.html": f"{LIST}/",
        "pipermail/ant/attachments/20040301/29967f21/attachment.bin": message,
        "pipermail/ant.mbox/ant.mbox": None,
        "mailman/private/ant/2004-March/000123.html": message, "mailman/private/ant/": f"{LIST}/",
    }  # fmt: skip
    for prefix in ("hyperkitty", "archives"):
        for name in ("ant@example.com", "ant.example.com"):
            at = f"{prefix}/list/{name}"
            archived |= {
                f"{at}/": f"{LIST}/", f"{at}/latest": f"{LIST}/", f"{at}/2004/3/": month, f"{at}/2004/3/1/": month,
                f"{at}/2004-March/": month, f"{at}/feed/": f"{LIST}/feed.atom",
                f"{at}/message/{mail.message_id_hash}/": message, f"{at}/thread/{mail.thread.key}/": thread,
                f"{at}/message/{mail.message_id_hash}/attachment/1/a.png": message,
                f"{at}/thread/{mail.thread.key}/replies?x=1": thread,
                f"{at}/export/x.mbox.gz?start=2004-03-01&end=2004-04-01": f"{LIST}/archive/2004/3.mbox.gz",
                f"{at}/export/x.mbox.gz?thread={mail.thread.key}": thread,
            }  # fmt: skip
        archived |= {
            f"{prefix}/": "/", f"{prefix}/search?q=ants": "/search/?q=ants", f"{prefix}/listinfo/ant": f"{LIST}/",
            f"{prefix}/search?mlist=ant@example.com&q=ants": f"{LIST}/search/?mlist=ant%40example.com&q=ants",
            f"{prefix}/pipermail/ant/2004-March/": month, f"{prefix}/users/123/": "/",
        }  # fmt: skip
    return archived


def surface(mail):
    return {
        "mailman/listinfo": "/", "mailman/listinfo/ant": f"{LIST}/", "mailman/subscribe/ant": f"{LIST}/join/",
        "mailman/options/ant/me--at--x.example": f"{LIST}/leave/", f"mailman/confirm/ant/{TOKEN}": f"{LIST}/confirm/{TOKEN}",
        "postorius/": "/", "postorius/lists/ant.example.com/": f"{LIST}/", "mailman3/lists/ant@example.com/": f"{LIST}/",
        "mailman3/lists/ant.example.com/anonymous_subscribe": f"{LIST}/join/",
        f"postorius/lists/ant.example.com/confirm/?token={TOKEN}": f"{LIST}/confirm/{TOKEN}",
    }  # fmt: skip


def test_every_old_address_leads_to_its_page_and_that_page_is_there(mail):
    client = Client()
    reader = people.create_user("reader@example.com")
    client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    for old, expected in {**targets(mail), **surface(mail)}.items():
        answer = client.get(f"/{old}")
        if expected is None:
            assert answer.status_code == 404, old
            continue
        assert answer.status_code in (301, 302), old
        assert answer["Location"] == expected, old
        if TOKEN not in expected:
            assert client.get(answer["Location"]).status_code == 200, old


@pytest.mark.parametrize(
    "old",
    ["pipermail/bee/", "pipermail/ant/2004-March/000999.html", "pipermail/ant/2004-Foo/thread.html",
     "pipermail/ant/attachments/", "pipermail/ant/../../etc/passwd", "hyperkitty/list/bee@example.com/",
     "hyperkitty/list/ant@example.com/message/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/",
     "hyperkitty/list/ant@example.com/2004/13/", "mailman/listinfo/bee", "postorius/lists/bee.example.com/",
     "pipermail/ant/2004-March/\x00", "mailman/confirm/bee/x"],
)  # fmt: skip
def test_what_never_was_is_not_found(mail, old):
    assert Client().get(f"/{old}").status_code == 404


def test_a_private_archive_s_old_addresses_lead_only_those_who_may_read(mail):
    lists.change_settings(mail.mailing_list, {"archive_policy": "private"})
    member, stranger = people.create_user("m@example.com"), people.create_user("s@example.com")
    for user in (member, stranger):
        people.verify(user.addresses.get())
    join(mail.mailing_list, "m@example.com", pre_verified=True, pre_confirmed=True, pre_approved=True)
    readers = {None: (Client(), 404), stranger: (Client(), 404), member: (Client(), 302)}
    for user in (stranger, member):
        readers[user][0].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    for old, expected in targets(mail).items():
        if expected is None or not expected.startswith(LIST):
            continue
        for user, (client, status) in readers.items():
            answer = client.get(f"/{old}")
            assert answer.status_code == status, (old, user)
            if status == 302:
                assert answer["Cache-Control"] == "private, no-store"


def test_a_hidden_list_looks_like_none(mail):
    lists.change_settings(mail.mailing_list, {"archive_policy": "private", "advertised": False})
    gone = Client().get("/pipermail/bee/2004-March/000123.html")
    hidden = Client().get("/pipermail/ant/2004-March/000123.html")
    assert (gone.status_code, gone.content) == (hidden.status_code, hidden.content)


def test_posts_to_old_addresses_change_nothing(mail):
    for old in (
        "postorius/lists/ant.example.com/anonymous_subscribe",
        "pipermail/ant/",
        f"mailman/confirm/ant/{TOKEN}",
    ):
        assert Client().post(f"/{old}").status_code == 405


def test_of_two_lists_with_one_name_the_host_s_is_meant(mail):
    lists.create_domain("other.example")
    lists.create_list("ant@other.example")
    answer = Client().get("/pipermail/ant/", headers={"host": "lists.other.example"})
    assert answer["Location"] == "/lists/ant.other.example/"


def test_an_old_mail_is_found_with_few_queries(mail, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        Client().get("/pipermail/ant/2004-March/000123.html")
