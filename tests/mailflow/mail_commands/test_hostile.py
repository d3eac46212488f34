"""What must not be obeyed or answered: machines, strangers, nonsense, floods (facts: security T1–T4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.community.lists import actions as lists
from postroad.community.subscriptions.models import Member, Pending
from postroad.foundation.message.headers import Headers
from postroad.foundation.queue.models import Job
from postroad.mailflow.mail_commands.commands import BY_NAME
from postroad.mailflow.mail_commands.instructions import read, secret_of, text_lines, words_of
from tests.effort import ends_within


@pytest.mark.django_db
@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"List_Id": "<x.example>"}, {"X_Ack": "No"},
        {"Return_Path": "<>"}, {"envelope_sender": ""}, {"From": "a@x.org, b@x.org"}, {"From": ""},
    ],
)  # fmt: skip
@pytest.mark.parametrize("to", ["request", "join", "leave"])
def test_no_machine_is_obeyed_or_answered(ants, post, anne, headers, to):
    assert post(to, "anne@example.org", "help", **headers).startswith("ignored")
    assert not post.answers()
    assert not Pending.objects.exists()


@pytest.mark.django_db
def test_a_vacation_notice_confirms_nothing(ants, post):
    post("join", "anne@example.org")
    address = next(iter(Pending.objects.all()))
    text = post.answer()
    secret = text.partition("ants-confirm+")[2][:40]
    post(f"confirm+{secret}", "anne@example.org", "Out of office", Auto_Submitted="auto-replied (vacation)")
    assert not Member.objects.exists()
    assert Pending.objects.get() == address


@pytest.mark.django_db
@pytest.mark.parametrize(
    "line", ["frobnicate", "echo BUY THIS", "who", "leave", "set digest mime", "join digest=BUY-THIS", "confirm x"]
)
def test_a_stranger_nobody_vouches_for_is_told_nothing_of_the_own_words(ants, post, line):
    lists.change_settings(ants, {"member_roster_visibility": "public"})
    post("request", "victim@example.org", line)
    assert not post.answers()


@pytest.mark.django_db
@pytest.mark.parametrize("line", ["help", "info", "lists", ""])
def test_a_stranger_gets_fixed_texts_once_a_day(ants, post, line):
    post("request", "Evil <victim@example.org>", line)
    text = post.answer()
    assert "Evil" not in text
    for _ in range(5):
        post("request", "victim@example.org", line)
    assert not post.answers()


@pytest.mark.django_db
def test_nonsense_of_a_member_is_answered_once(ants, post, anne):
    for number in range(5):
        post("request", "anne@example.org", f"frobnicate {number}", "a\nb\nc\nd\n" * 5)
    text = post.answer()
    assert text.count("There is no command") == 3


@pytest.mark.django_db
def test_sensible_commands_have_their_limit_a_day(ants, post, anne):
    for number in range(15):
        post("request", "anne@example.org", f"echo {number}")
    assert len(post.answers()) == 10


@pytest.mark.django_db
def test_forged_joins_of_hundreds_of_mails_are_three_questions(post):
    for number in range(5):
        mailing_list = lists.create_list(f"l{number}@commands.example")
        post.mailing_list = mailing_list
        for subject in ("join", "help", "info", "subscribe digest=mime") * 5:
            post("request", "victim@example.org", subject)
            post("join", "victim@example.org")
    assert Job.objects.filter(queue="pipeline").count() == 3


@pytest.mark.django_db
def test_a_mail_that_its_domain_disowns_is_nothing(ants, post, anne, settings):
    from dataclasses import replace

    settings.POSTROAD = replace(
        settings.POSTROAD, mail=replace(settings.POSTROAD.mail, trusted_authserv_ids=("mx.example",))
    )
    failed = {"Authentication_Results": "mx.example; dmarc=fail header.from=example.org"}
    assert post("request", "anne@example.org", "help", **failed) == "ignored: the author's domain disowns it"
    assert not post.answers()


@pytest.mark.django_db
def test_who_is_vouched_for_is_believed(ants, post, anne, settings):
    from dataclasses import replace

    settings.POSTROAD = replace(
        settings.POSTROAD, mail=replace(settings.POSTROAD.mail, trusted_authserv_ids=("mx.example",))
    )
    passed = {"Authentication_Results": "mx.example; dmarc=pass header.from=example.org"}
    post("request", "anne@example.org", "nomail", **passed)
    anne.refresh_from_db()
    assert anne.delivery_status == "by_user"
    assert "delivery" in post.answer()
    post("request", "bart@example.org", "echo hello", **passed)
    assert "echo hello" in post.answer()


@pytest.mark.django_db
def test_the_answer_says_that_a_machine_wrote_it(ants, post, anne):
    post("request", "anne@example.org", "options")
    text = post.answer()
    assert "Auto-Submitted: auto-replied" in text
    assert "In-Reply-To: <" in text


@pytest.mark.sqlite_only
@given(st.binary(max_size=2000), st.text(max_size=200))
def test_any_bytes_can_be_read(raw, subject):
    data = b"Subject: " + subject.encode() + b"\r\n\r\n" + raw
    asked = read(Headers.parse(data), data, 10)
    assert len(asked.lines) <= 11
    for line in (*asked.lines, *asked.ignored):
        name, words = words_of(line, tuple(BY_NAME))
        assert name in BY_NAME or name == ""
        assert all(word in line for word in words)


@pytest.mark.sqlite_only
@given(st.text(max_size=300))
def test_any_address_can_be_asked_for_its_secret(recipient):
    assert secret_of(recipient) == "" or len(secret_of(recipient)) == 40


@pytest.mark.sqlite_only
def test_a_huge_mail_is_read_quickly():
    data = b"Subject: help\r\n\r\n" + b"join digest=mime " * 600_000
    assert len(text_lines(data)) <= 2
    assert ends_within(1, lambda: text_lines(data))
