"""The list answers by itself: whom, how often, and never a machine (facts: mail-flow §18; RFC 3834)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from postroad.community.lists import actions as lists
from postroad.community.lists.declare import DAY
from postroad.community.notices.models import AutoResponse
from postroad.community.notices.replies import reply
from postroad.foundation.message.headers import Headers
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.foundation.storage import actions as storage

pytestmark = pytest.mark.django_db


@pytest.fixture
def ants():
    lists.create_domain("notices.example")
    mailing_list = lists.create_list("ants@notices.example")
    texts = {
        "autoresponse_owner_text": "The owners of $listname read this soon.",
        "autorespond_owner": "respond_and_continue",
    }
    lists.change_settings(mailing_list, texts)
    return mailing_list


def headers(**fields):
    return Headers.parse("".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in fields.items()).encode() + b"\r\n")


def sent():
    return [storage.load(decode(bytes(job.envelope)).message).decode() for job in Job.objects.order_by("id")]


def test_the_owners_text_is_sent_once_in_the_grace_period(ants):
    for _ in range(1000 // 50):
        assert reply(ants, "owner", headers(Message_ID="<m@x>"), "anne@example.org")
    (text,) = sent()
    assert "The owners of ants@notices.example read this soon." in text
    assert "Auto-Submitted: auto-replied" in text
    assert "In-Reply-To: <m@x>" in text
    AutoResponse.objects.update(day=timezone.now().date() - timedelta(days=91))
    reply(ants, "owner", headers(), "anne@example.org")
    assert len(sent()) == 2


def test_without_grace_and_by_x_ack_each_mail_is_answered(ants):
    reply(ants, "owner", headers(X_Ack="yes"), "anne@example.org")
    reply(ants, "owner", headers(X_Ack="yes"), "anne@example.org")
    lists.change_settings(ants, {"autoresponse_grace_period": 0 * DAY})
    reply(ants, "owner", headers(), "anne@example.org")
    assert len(sent()) == 3


def test_what_is_to_be_thrown_away_is_so_without_an_answer_too(ants):
    lists.change_settings(ants, {"autorespond_owner": "respond_and_discard"})
    assert not reply(ants, "owner", headers(), "anne@example.org")
    assert not reply(ants, "owner", headers(), "anne@example.org")
    assert len(sent()) == 1


@pytest.mark.parametrize(
    ("fields", "sender"),
    [
        ({"Auto_Submitted": "auto-generated"}, "a@x.org"), ({"Precedence": "junk"}, "a@x.org"), ({"X_Ack": "no"}, "a@x.org"),
        ({"List_Post": "<mailto:b@x.org>"}, "a@x.org"), ({}, ""), ({}, "mailer-daemon@x.org"), ({}, "bees-bounces@x.org"),
        ({}, "owner-bees@x.org"), ({}, "bees-request@x.org"),
    ],
)  # fmt: skip
def test_no_machine_is_answered(ants, fields, sender):
    assert reply(ants, "owner", headers(**fields), sender)
    assert not sent()


def test_other_addresses_are_not_answered(ants):
    assert reply(ants, "postings", headers(), "anne@example.org")
    assert not sent()
