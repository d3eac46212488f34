"""Where an accepted mail goes from the pipeline, and who gets it."""

import time

import pytest
from django.db import transaction

from postroad.community.lists import actions as lists
from postroad.community.notices import fetching
from postroad.community.notices.models import TemplateUri
from postroad.community.notices.template_uris import set_uris
from postroad.community.notices.worker import work as send_postponed
from postroad.community.subscriptions.queries import recipients
from postroad.foundation.message.message_id import message_id_hash
from postroad.foundation.message.segments import decode as decode_template
from postroad.foundation.queue import actions
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job, Step
from postroad.foundation.storage import actions as storage
from postroad.mailflow.pipeline.worker import work

from .conftest import envelope, header, mail


def run(mailing_list, raw: bytes | None = None, **values):
    raw = mail() if raw is None else raw
    work(envelope(mailing_list, raw, message=storage.store(raw), **values))


def queued(queue: str):
    """The one envelope in this queue."""
    return decode(bytes(Job.objects.get(queue=queue).envelope))


def names() -> set[str]:
    return set(Job.objects.values_list("queue", flat=True))


def test_a_post_goes_to_members_archive_and_digest_and_is_counted(ant):
    run(ant)
    assert names() == {"delivery", "archive", "digests"}
    ant.refresh_from_db()
    assert ant.post_id == 2
    assert ant.last_post_at is not None
    assert Step.objects.get(stage="pipeline").outcome == "prepared"


@pytest.mark.parametrize(
    ("config", "values", "expected"),
    [
        ({"digests_enabled": False}, {}, {"delivery", "archive"}),
        ({"archive_policy": "never"}, {}, {"delivery", "digests"}),
        ({"gateway_to_news": True, "linked_newsgroup": "x.y"}, {}, {"delivery", "archive", "digests", "usenet"}),
        ({"gateway_to_news": True, "linked_newsgroup": "x.y"}, {"from_usenet": True}, {"delivery", "archive", "digests"}),
    ],
)  # fmt: skip
def test_a_list_chooses_where_its_posts_go(ant, config, values, expected):
    lists.change_settings(ant, config)
    run(ant, **values)
    assert names() == expected


@pytest.mark.parametrize(("with_prefix", "subject"), [(True, "[Ant] Hello"), (False, "Hello")])
def test_the_news_get_the_prefix_where_the_list_wants_that(ant, with_prefix, subject):
    config = {"gateway_to_news": True, "linked_newsgroup": "x.y", "nntp_prefix_subject_too": with_prefix}
    lists.change_settings(ant, config)
    run(ant)
    for name, expected in (("usenet", subject), ("archive", "Hello")):
        assert header(storage.load(queued(name).message), "subject") == [expected]


def test_mail_to_the_owners_goes_to_owners_and_moderators_unadorned(ant, join):
    join("olga@example.org", role="owner")
    join("mike@example.org", role="moderator")
    join("otto@example.org", role="owner", delivery_status="by_user")
    run(ant, kind="owner")
    assert names() == {"delivery"}
    assert queued("delivery").recipients == ("mike@example.org", "olga@example.org")
    made = decode_template(storage.load(queued("delivery").template)).render({})
    own = b"Message-ID-Hash: %s\r\n" % message_id_hash("one@example.org").encode()
    assert made == mail().replace(b"\r\n\r\n", b"\r\n" + own + b"X-" + own + b"\r\n", 1)


def test_mail_to_the_owners_leaves_with_the_name_it_was_given(ant, join):
    """By it a mail that goes round between two lists' owners is known again."""
    join("olga@example.org", role="owner")
    run(ant, mail(message_id=None), kind="owner")
    made = decode_template(storage.load(queued("delivery").template)).render({})
    assert header(made, "message-id") == ["<one@example.org>"]


def test_without_owners_the_site_owner_gets_it(ant, settings):
    run(ant, kind="owner")
    assert queued("delivery").recipients == (settings.POSTROAD.site.owner,)


def test_a_notice_keeps_its_recipients_and_has_few_list_fields(ant):
    run(ant, kind="notice", recipients=("anne@example.org",), reduced_list_headers=True)
    made = decode_template(storage.load(queued("delivery").template)).render({})
    assert header(made, "Subject") == ["Hello"]
    assert header(made, "List-Id") == ["<ant.example.com>"]
    assert header(made, "List-Post") == []


def test_mail_of_a_list_that_is_gone_ends_where_one_can_see_it(ant):
    e = envelope(ant, mail(), message=storage.store(mail()))
    ant.delete()
    work(e)
    assert Step.objects.get(stage="pipeline").outcome == "discarded"


def test_who_wants_an_acknowledgement_gets_one_with_the_own_subject(ant, join):
    join("anne@example.org", acknowledge_posts=True)
    run(ant)
    notice = queued("pipeline")
    assert notice.recipients == ("anne@example.org",)
    assert b"Hello" in storage.load(notice.message)
    assert b"[Ant] Hello" not in storage.load(notice.message)


def test_an_author_on_an_anonymous_list_is_acknowledged_too(ant, join):
    join("anne@example.org", acknowledge_posts=True)
    lists.change_settings(ant, {"anonymous_list": True})
    run(ant)
    assert queued("pipeline").recipients == ("anne@example.org",)


@pytest.mark.parametrize("fields", [{"auto_submitted": "auto-replied"}, {"precedence": "bulk"}, {"x_ack": "no"}])
def test_a_machine_is_not_acknowledged(ant, join, fields):
    """RFC 3834 §2."""
    join("anne@example.org", acknowledge_posts=True)
    run(ant, mail(**fields))
    assert "pipeline" not in names()


def test_who_stood_in_cc_may_have_no_second_copy_and_a_second_copy_is_marked(ant, join):
    join("anne@example.org")
    join("bart@example.org", receive_list_copy=False)
    join("cris@example.org")
    run(ant, mail(cc="bart@example.org, Cris <CRIS@example.org>, ant@example.com"))
    e = queued("delivery")
    got = recipients(ant.pk, 0, 10, e.author, e.explicit)
    assert [(r.email, r.copied) for r in got] == [("anne@example.org", False), ("cris@example.org", True)]
    assert "copy_header" in decode_template(storage.load(e.template)).slots


def test_an_author_who_wants_no_own_posts_gets_none(ant, join):
    join("anne@example.org", receive_own_postings=False)
    join("bart@example.org")
    run(ant)
    e = queued("delivery")
    assert [r.email for r in recipients(ant.pk, 0, 10, e.author, e.explicit)] == ["bart@example.org"]


@pytest.mark.parametrize(("config", "is_personal"), [({}, True), ({"personalize": "none"}, False)])
def test_each_reader_has_a_copy_of_his_own_unless_the_list_wants_none(ant, config, is_personal):
    """As with Mailman, `none` hands the relay one copy for many readers; it can be left by mail only (ADR 6)."""
    lists.change_settings(ant, config)
    run(ant)
    sent = queued("delivery")
    template = decode_template(storage.load(sent.template))
    assert sent.verp is is_personal
    assert ("unsubscribe_url" in template.slots) is is_personal
    assert bool(template.slots) is is_personal


def test_full_personalisation_addresses_the_reader_and_keeps_the_others(ant):
    lists.change_settings(ant, {"personalize": "full", "subject_prefix": ""})
    run(ant, mail(to="ant@example.com, Bart <bart@example.net>", cc="cris@example.net"))
    template = decode_template(storage.load(queued("delivery").template))
    made = template.render({slot: "Dora <dora@example.net>" if slot == "to_header" else "" for slot in template.slots})
    assert header(made, "To") == ["Dora <dora@example.net>"]
    assert header(made, "Cc") == ["cris@example.net, Bart <bart@example.net>, ant@example.com"]


def test_a_reader_may_be_named_in_the_footer(ant):
    TemplateUri.objects.create(
        context=ant.list_id,
        name="list:member:regular:footer",
        uri="text:",
        text="To $user_name: $unsubscribe_url $x $$\n",
    )
    run(ant)
    template = decode_template(storage.load(queued("delivery").template))
    made = template.render({slot: f"({slot})" for slot in template.slots})
    assert made.endswith(b"To (user_name): (unsubscribe_url) $x $\r\n")


def test_variables_in_a_post_stay_what_they_are(copy):
    """Nothing an author writes is ever filled in: a post must not fish for another reader's address to leave by."""
    body = b"$unsubscribe_url ${user_email} $listname\r\n"
    made = copy(mail(body, subject="${user_email} $listname"), {"subject_prefix": ""})
    assert body in made
    assert header(made, "Subject") == ["${user_email} $listname"]


def test_a_big_attachment_stays_on_the_server_and_is_linked(ant, copy, draft):
    big = b"x" * 3000
    body = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nSee.\r\n"
        b'--b\r\nContent-Type: image/png; name="a b.png"\r\n\r\n' + big + b"\r\n"
        b"--b\r\nContent-Type: image/gif\r\n\r\nsmall\r\n--b--\r\n"
    )
    raw = mail(body, content_type='multipart/mixed; boundary="b"')
    assert big in copy(raw)
    made = copy(raw, {"link_attachments_above": 2})
    assert big not in made
    assert b"small" in made
    assert draft(raw).permalink.encode() + b"attachment/1/" in made
    assert b"a b.png (image/png, 2 KB)" in made
    lists.change_settings(ant, {"archive_policy": "never"})
    assert big in copy(raw)


def test_an_attachment_under_signature_is_never_taken_out(copy):
    big = b"x" * 3000
    body = (
        b"--b\r\nContent-Type: image/png\r\n\r\n"
        + big
        + b"\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\ns\r\n--b--\r\n"
    )
    made = copy(mail(body, content_type='multipart/signed; boundary="b"'), {"link_attachments_above": 2})
    assert body in made


def test_topics_are_found_in_subject_keywords_and_the_first_lines(draft, ant):
    config = {"topics_enabled": True, "topics": ["Food: sugar|honey", "Work: tunnel"]}
    assert draft(mail(subject="Sugar!"), config).topics == ("Food",)
    assert draft(mail(keywords="tunnels, honey")).topics == ("Food", "Work")
    assert draft(mail(b"Keywords: a tunnel\r\n\r\ntext")).topics == ("Work",)
    assert draft(mail(b"1\n2\n3\n4\n5\nKeywords: a tunnel\n")).topics == ("",)
    assert draft(mail(subject="Sugar!"), {"topics_enabled": False}).topics == ()


def test_a_post_waits_for_a_footer_that_was_set_just_now(ant):
    """Its readers get the list's footer and not ours, though the text lies on another server."""
    uri = "http://127.0.0.1:1/footer"
    set_uris(f"list:{ant.list_id}", {"list:member:regular:footer": uri})
    run(ant)
    assert names() == {"pipeline", "templates"}
    fetching.keep(fetching.Found(uri, TemplateUri.objects.get().pk, "OUR FOOTER"))
    work(queued("pipeline"))
    made = decode_template(storage.load(queued("delivery").template))
    assert b"OUR FOOTER" in made.render(dict.fromkeys(made.slots, "x"))


@pytest.mark.django_db(transaction=True)
def test_posts_that_waited_for_a_footer_go_before_those_that_came_when_it_was_there(ant):
    """Released together, they keep their order though the third one could go at once."""
    uri, now = "http://127.0.0.1:1/footer", time.time()
    set_uris(f"list:{ant.list_id}", {"list:member:regular:footer": uri})
    for number in (1, 2):
        with transaction.atomic():
            run(ant, message_id=f"{number}@x", received_at=now - 10 + number)
    assert claimed() == [], "looked at again when the text is there, and not before"
    send_postponed(
        decode(bytes(Job.objects.get(queue="templates").envelope)),
        [fetching.Found(uri, TemplateUri.objects.get().pk, "OURS")],
    )
    run(ant, message_id="3@x", received_at=now - 7)
    assert (names() & {"delivery"}, claimed()) == (set(), ["1@x", "2@x", "3@x"])
    went = [decode(bytes(job.envelope)).message_id for job in Job.objects.filter(queue="delivery").order_by("id")]
    assert went == ["1@x", "2@x", "3@x"]
    run(ant, message_id="4@x", received_at=now)
    assert Job.objects.filter(queue="delivery").count() == 4


def claimed():
    """What the pipeline takes up now, one after the other, each done before the next."""
    found = []
    while jobs := actions.claim("pipeline", "w", 1):
        with transaction.atomic():
            work(jobs[0].envelope)
        actions.acknowledge(*jobs)
        found.append(jobs[0].envelope.message_id)
    return found


def test_no_post_waits_for_a_footer_longer_than_a_minute(ant):
    set_uris(f"list:{ant.list_id}", {"list:member:regular:footer": "http://127.0.0.1:1/footer"})
    run(ant, received_at=time.time() - 61)
    assert "delivery" in names()


def test_a_footer_whose_address_names_the_list_is_asked_for_by_the_first_post(ant):
    """Nobody could ask before it was known which list."""
    set_uris("example.com", {"list:member:regular:footer": "http://127.0.0.1:1/$list_id"})
    assert names() == set()
    run(ant)
    run(ant)
    assert Job.objects.filter(queue="templates").count() == 1
    assert names() == {"pipeline", "templates"}
