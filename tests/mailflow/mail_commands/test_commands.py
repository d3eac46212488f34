"""Each command by mail, from the mail to the answer (facts: mail-flow §19)."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from postroad.community.lists import actions as lists
from postroad.community.people import actions as people
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions import queries
from postroad.community.subscriptions.models import Consent, Member, Pending
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.moderation.worker import work as moderate

pytestmark = pytest.mark.django_db

SECRET = re.compile(r"ants-confirm\+([0-9a-f]{40})@")


def test_joining_takes_a_mail_and_its_answer(ants, post):
    assert post("join", "Anne Person <anne@example.org>") == "answered by a question to confirm"
    question = post.answer()
    address = SECRET.search(question)[0].removeprefix("ants-").removesuffix("@")
    post(address, "anne@example.org", "Re: whatever", "> quoted\nyes please")
    member = queries.member_of(ants, "anne@example.org")
    assert member.address.display_name == "Anne Person"
    assert ["Welcome" in text for _, text in post.answers()] == [True]
    assert Consent.objects.filter(event="confirmed", surface="mail", evidence__contains="anne@example.org").exists()


def test_a_token_in_the_text_is_as_good(ants, post):
    post("join", "anne@example.org")
    token = SECRET.search(post.answer())[1]
    post("confirm", "anne@example.org", "nothing", f"> hello\nconfirm {token}\n")
    assert queries.member_of(ants, "anne@example.org")


def test_joining_with_a_digest(ants, post):
    lists.change_settings(ants, {"subscription_policy": "open"})
    people.verify(people.ensure_address("anne@example.org"))
    post("request", "anne@example.org", "join digest=mime")
    assert queries.member_of(ants, "anne@example.org").delivery_mode == "mime_digests"


def test_another_address_is_asked_itself(ants, post, anne):
    post("request", "anne@example.org", "join address=other@example.net")
    (question_to, _), (answer_to, answer) = post.answers()
    assert question_to == ("other@example.net",)
    assert answer_to == ("anne@example.org",)
    assert "other@example.net" in answer


@pytest.mark.parametrize("line", ["join digest=bogus", "join me now"])
def test_what_join_does_not_understand_it_says(ants, post, anne, line):
    post("request", "anne@example.org", line)
    assert "do not understand" in post.answer()
    assert not Pending.objects.exists()


def test_a_member_is_told_to_be_one(ants, post, anne):
    post("join", "anne@example.org")
    assert "already subscribed" in post.answer()


def test_leaving_takes_a_mail_and_its_answer(ants, post, anne):
    post("leave", "anne@example.org")
    token = SECRET.search(post.answer())[1]
    post(f"confirm+{token}", "anne@example.org")
    assert not queries.member_of(ants, "anne@example.org")
    assert "left" in post.answer()


def test_one_leaves_from_another_address_of_the_same_person(ants, post, anne):
    home = people.ensure_address("home@example.org")
    people.link_address(anne.address.user, home)
    people.verify(home)
    lists.change_settings(ants, {"unsubscription_policy": "open"})
    post("leave", "home@example.org")
    assert not Member.objects.filter(role="member").exists()


@pytest.mark.parametrize(
    ("line", "preference", "value"),
    [
        ("set digest mime", "delivery_mode", "mime_digests"),
        ("set digest off", "delivery_mode", "regular"),
        ("digest plain", "delivery_mode", "plaintext_digests"),
        ("digest html", "delivery_mode", "html_digests"),
        ("set frequency weekly", "digest_frequency", "weekly"),
        ("nomail", "delivery_status", "by_user"),
        ("mail", "delivery_status", "enabled"),
        ("set delivery off", "delivery_status", "by_user"),
        ("SET myposts OFF", "receive_own_postings", False),
        ("set hide on", "hide_address", True),
        ("set duplicates off", "receive_list_copy", False),
        ("Re: set ack on", "acknowledge_posts", True),
        ("set language de", "preferred_language", "de"),
    ],
)
def test_options_are_changed_when_the_member_confirms(ants, post, anne, line, preference, value):
    post("request", "anne@example.org", line)
    anne.refresh_from_db()
    assert getattr(anne, preference) is None
    post(f"confirm+{SECRET.search(post.answer())[1]}", "anne@example.org")
    anne.refresh_from_db()
    assert getattr(anne, preference) == value


def test_a_vacation_until_a_date(ants, post, anne):
    until = timezone.now().date() + timedelta(days=9)
    post("request", "anne@example.org", f"vacation {until}")
    post(f"confirm+{SECRET.search(post.answer())[1]}", "anne@example.org")
    anne.refresh_from_db()
    assert (anne.delivery_status, anne.vacation_until) == ("by_user", until)


@pytest.mark.parametrize(
    "line", ["vacation", "vacation soon", "set nonsense on", "set digest maybe", "digest", "set language xx"]
)
def test_an_option_that_is_none_is_told_what_is_allowed(ants, post, anne, line):
    post("request", "anne@example.org", line)
    assert re.search("allowed|Accepted|date", post.answer())
    assert not Pending.objects.exists()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("set digest maybe", "digest maybe: erlaubt sind off, no,"),
        ("vacation soon", "Kein Datum wie 2027-01-31: soon"),
        ("confirm 1234", "confirm: Dieser Schlüssel ist unbekannt"),
        ("join", "join: Diese Adresse ist schon Mitglied"),
    ],
)
def test_why_not_is_told_in_the_senders_language(ants, post, anne, line, told):
    people.set_preferences(anne, {"preferred_language": "de"})
    people.set_preferences(anne.address, {"preferred_language": "de"})
    post("request", "anne@example.org", line)
    assert told in post.answer()


@pytest.mark.parametrize("line", ["set", "set show", "options"])
def test_options_are_shown(ants, post, anne, line):
    post("request", "anne@example.org", line)
    text = post.answer()
    for name in ("digest", "delivery", "myposts", "hide", "duplicates", "ack", "language"):
        assert re.search(rf"^ +{name} +\w+$", text, re.MULTILINE)


def test_help_names_every_command_and_explains_one(ants, post, anne):
    post("request", "anne@example.org", "help")
    text = post.answer()
    for name in ("confirm", "echo", "end", "stop", "help", "join", "subscribe", "leave", "unsubscribe", "who"):
        assert name in text
    post("request", "anne@example.org", "help join nosuch")
    text = post.answer()
    assert "address=" in text
    assert "nosuch" in text
    assert "vacation" not in text


def test_end_leaves_the_rest_alone(ants, post, anne):
    post("request", "anne@example.org", "", "echo before\nend\necho after\nApproved: secret\n")
    text = post.answer()
    assert "echo before" in text
    assert 0 < text.index("Unprocessed") < text.index("echo after")
    assert "secret" not in text


def test_lines_beyond_the_limit_are_ignored(ants, post, anne):
    post("request", "anne@example.org", "", "".join(f"echo line{n}\n" for n in range(15)))
    text = post.answer()
    assert text.index("line9") < text.index("Ignored") < text.index("line10")


def test_info_and_lists(ants, post, anne):
    lists.change_settings(ants, {"description": "About ants", "info": "Six legs."})
    lists.change_settings(lists.create_list("hidden@commands.example"), {"advertised": False})
    post("request", "anne@example.org", "info", "lists\n")
    text = post.answer()
    assert "Six legs." in text
    assert "ants@commands.example -- About ants" in text
    assert "hidden@" not in text


@pytest.mark.parametrize(
    ("visibility", "sender", "sees"),
    [
        ("public", "anne", True), ("members", "anne", True), ("moderators", "anne", False),
        ("moderators", "olga", True), ("members", "bart", False), ("public", "bart", True),
    ],
)  # fmt: skip
def test_who_sees_the_members(ants, post, anne, olga, visibility, sender, sees):
    lists.change_settings(ants, {"member_roster_visibility": visibility})
    people.verify(people.ensure_address("bart@example.org"))
    hidden = subscriptions.join(
        ants, "hidden@example.org", pre_verified=True, pre_confirmed=True, send_welcome_message=False
    ).member
    people.set_preferences(hidden, {"hide_address": True})
    post("request", f"{sender}@example.org", "who")
    text = post.answer().partition("Results:")[2]
    assert ("anne@example.org" in text) is sees
    assert ("hidden@example.org" in text) is (sender == "olga")


def test_who_can_be_narrowed(ants, post, anne, olga):
    people.set_preferences(anne, {"delivery_status": "by_user"})
    post("request", "olga@example.org", "who delivery=enabled")
    assert "anne@" not in post.answer()
    post("request", "olga@example.org", "who delivery=disabled mode=regular")
    assert "anne@" in post.answer()


def waiting_join(ants):
    lists.change_settings(ants, {"subscription_policy": "moderate"})
    subscriptions.join(ants, "bart@example.org", pre_verified=True)


@pytest.mark.parametrize(
    ("body", "is_member"), [("accept\n", True), ("Reject.\nThe list is full.\n", False), ("discard", False)]
)
def test_a_moderator_decides_about_a_join_by_answering(ants, post, olga, body, is_member):
    waiting_join(ants)
    token = SECRET.search(post.answer())[1]
    post(f"confirm+{token}", "olga@example.org", "Re: request", body)
    assert bool(queries.member_of(ants, "bart@example.org")) is is_member
    assert not Pending.objects.exists()
    told = [text for to, text in post.answers() if to == ("bart@example.org",)]
    assert ("The list is full." in "".join(told)) is body.startswith("Reject")


def test_only_moderators_decide_and_only_with_a_word(ants, post, olga, anne):
    waiting_join(ants)
    token = SECRET.search(post.answer())[1]
    post(f"confirm+{token}", "anne@example.org", "", "accept")
    assert "Only moderators" in post.answer()
    post(f"confirm+{token}", "olga@example.org", "", "Hm, who is that?")
    assert "accept, reject or discard" in post.answer()
    assert Pending.objects.count() == 1


@pytest.fixture
def held_token(ants, olga, post):
    """The secret in the notice that a stranger's post waits."""
    raw = b"From: eve@example.net\r\nTo: ants@commands.example\r\nSubject: Hi\r\n\r\nhello\r\n"
    moderate(
        Envelope(
            journey="j", message=storage.store(raw), message_id="1@example.net", received_at=0.0, size=len(raw),
            list_id=ants.list_id, sender="eve@example.net", recipient="ants@commands.example",
        )
    )  # fmt: skip
    return re.search(r"^Subject: confirm ([0-9a-f]{40})", post.answer(), re.MULTILINE)[1]


HTML = {"Content_Type": "text/html"}


def test_accept_written_in_html_does_not_drop_the_post(ants, olga, post, held_token):
    """Without proof of the moderator it waits, as after the word in plain text; a bare answer would drop it."""
    post(f"confirm+{held_token}", "olga@example.org", "Re: x", "<html><body><p>Accept</p>-- <br>Olga</body>", **HTML)
    assert HeldMessage.objects.exists()
    assert "Approved: PASSWORD" in post.answer()


def test_the_password_counts_in_html_too(ants, olga, post, held_token):
    lists.change_settings(ants, {"moderator_password": make_password("secret")})
    post(f"confirm+{held_token}", "olga@example.org", "Re: x", "<div>Approved:&nbsp;secret</div>", **HTML)
    assert not HeldMessage.objects.exists()
    assert any("The post was accepted." in text for _, text in post.answers())


def test_commands_may_be_written_in_html(ants, post, anne):
    post("request", "anne@example.org", "", "<div>echo one</div><div>echo two</div>", **HTML)
    text = post.answer()
    assert "echo one" in text
    assert "echo two" in text
