"""What happens on both sides between the shadow and the cut-over: nothing is lost, doubled or overruled untold.

One site goes through all of it, as each import takes seconds.
"""

import sqlite3

import pytest
from django.db import transaction

from postroad.community.lists.actions import change_settings
from postroad.community.lists.models import MailingList
from postroad.community.people.models import User
from postroad.community.subscriptions.models import Member
from postroad.mailflow.archive import actions as archive
from postroad.mailflow.archive.models import Mail, Thread, Vote
from postroad.mailflow.archive.tending import sum_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
RAW = b"From: a@x.example\r\nMessage-ID: <h@x>\r\nSubject: here\r\n\r\nhere\r\n"


class Meanwhile:
    """The rows that are looked at, as they were before."""

    def __init__(self, site) -> None:
        self.site = site
        by_name = {made.list_name: made for made in MailingList.objects.all()}
        self.dev, self.board, self.anon = by_name["dev"], by_name["board"], by_name["anon"]
        self.bare = MailingList.objects.filter(archived=None).exclude(list_name__in=("dev", "anon")).earliest("pk")
        self.left, self.member = Member.objects.filter(
            mailing_list=self.dev, role="member", address__isnull=False
        ).order_by("pk")[:2]  # fmt: skip
        self.bart = User.objects.get(addresses__email="bart@example.com")
        self.mails = Mail.objects.filter(mailing_list=self.board).count()
        self.votes = Vote.objects.count()
        self.joined, self.other = Thread.objects.filter(mailing_list=self.board, count__gt=1).order_by("pk")[:2]

    def change_here(self) -> None:
        change_settings(self.dev, {"description": "Here", "max_message_size": 11, "subject_prefix": "[here] "})
        self.left.delete()
        Member.objects.filter(pk=self.member.pk).update(delivery_status="by_user", acknowledge_posts=True)
        User.objects.filter(pk=self.bart.pk).update(password="of here", display_name="Here")
        Mail.objects.filter(thread=self.joined).update(thread=self.other)
        sum_up([self.joined.pk, self.other.pk])
        with transaction.atomic():
            archive.archive(self.anon, archive.Incoming(RAW, "h@x", 1_790_000_000.0))
        self.archived = Mail.objects.filter(mailing_list=self.anon).count()

    def change_there(self, core: sqlite3.Connection) -> None:
        core.execute("UPDATE mailinglist SET description = 'There', max_num_recipients = 77, subject_prefix = '[there] '"
                     " WHERE list_id = ?", (self.dev.list_id,))  # fmt: skip
        core.execute("UPDATE member SET moderation_action = 1, bounce_score = 2 WHERE list_id = ?", (self.dev.list_id,))
        core.execute("UPDATE preferences SET delivery_status = 1 WHERE id = (SELECT preferences_id FROM member WHERE"
                     " _member_id = ?)", (self.member.uuid.hex,))  # fmt: skip
        for gone in (self.anon, self.bare):
            core.execute("DELETE FROM member WHERE list_id = ?", (gone.list_id,))
            core.execute("DELETE FROM mailinglist WHERE list_id = ?", (gone.list_id,))
        for table in ("mailinglist", "member", "ban"):
            core.execute(
                f"UPDATE {table} SET list_id = 'board.lists.example.com' WHERE list_id = ?", (self.board.list_id,)
            )
        core.execute("UPDATE mailinglist SET mail_host = 'lists.example.com' WHERE list_name = 'board'")
        gone = core.execute(
            "SELECT user_id FROM member GROUP BY user_id ORDER BY count(*) DESC LIMIT 1 OFFSET 1"
        ).fetchone()
        stays = core.execute("SELECT id FROM user WHERE _preferred_address_id IS NOT NULL AND id NOT IN"
                             " (SELECT user_id FROM member WHERE user_id IS NOT NULL)").fetchone()  # fmt: skip
        for table in ("address", "member"):
            core.execute(f"UPDATE {table} SET user_id = ? WHERE user_id = ?", (*stays, *gone))
        core.execute("DELETE FROM domain_owner WHERE user_id = ?", gone)
        core.execute("DELETE FROM user WHERE id = ?", gone)
        self.kept = core.execute("SELECT count(*) FROM member").fetchone()[0]

    def change_archive(self, web: sqlite3.Connection) -> None:
        web.execute("UPDATE auth_user SET password = 'pbkdf2_sha256$1$s$new' WHERE username = 'bart'")
        web.execute("UPDATE hyperkitty_mailinglist SET name = 'board@lists.example.com',"
                    " list_id = 'board.lists.example.com' WHERE list_id = ?", (self.board.list_id,))  # fmt: skip
        web.execute("DELETE FROM hyperkitty_mailinglist WHERE list_id = ?", (self.bare.list_id,))
        web.row_factory = sqlite3.Row
        mail = dict(web.execute("SELECT e.* FROM hyperkitty_email e JOIN hyperkitty_thread t ON t.id = e.thread_id"
                                " WHERE t.thread_id = ? AND parent_id IS NOT NULL", (self.joined.key,)).fetchone())  # fmt: skip
        for number, parent in ((99_998, mail["id"]), (99_999, 99_998), (100_000, None)):
            new = mail | {
                "id": number,
                "message_id": f"{number}@x",
                "message_id_hash": str(number),
                "parent_id": parent,
            }
            marks = ", ".join("?" * len(new))
            web.execute(f"INSERT INTO hyperkitty_email ({', '.join(new)}) VALUES ({marks})", tuple(new.values()))


@pytest.fixture
def meanwhile(small_site):
    """A site that was changed on both sides, and cut over; and what the import said."""
    small_site.bring_in(cut_over=False)
    before = Meanwhile(small_site)
    before.change_here()
    with small_site.connect() as core:
        before.change_there(core)
    with small_site.connect("web") as web:
        before.change_archive(web)
    before.report = small_site.bring_in()
    return before


def test_a_cut_over_keeps_what_was_done_here_and_names_what_it_overrules(meanwhile):
    settings_and_options_stay_but_for_those_changed_on_both_sides(meanwhile)
    a_list_deleted_there_stays_for_its_archive_alone(meanwhile)
    a_list_that_moved_and_users_and_threads_that_were_joined_lose_nothing(meanwhile)
    assert not [note for note in meanwhile.report.notes if "Error" in note[3] or "DoesNotExist" in note[3]]


def settings_and_options_stay_but_for_those_changed_on_both_sides(meanwhile):
    dev, member, clashes = meanwhile.dev, meanwhile.member, set(meanwhile.report.clashes.values())
    for row in (dev, member, meanwhile.bart):
        row.refresh_from_db()
    assert (dev.settings["description"], dev.settings["max_num_recipients"]) == ("There", 77)
    assert dev.settings["max_message_size"] == 11
    assert {clash[1:] for clash in clashes if clash[0] == "lists"} == {
        ("dev.example.org", "description", "Here", "There"),
        ("dev.example.org", "subject_prefix", "[here] ", "[there] "),
    }
    assert (member.moderation_action, member.acknowledge_posts) == ("reject", True)
    assert {c[2:] for c in clashes if c[0] == "members"} == {("delivery_status", "by_user", "enabled")}
    assert {c[2:] for c in clashes if c[0] == "users"} == {("password", "(not shown)", "(not shown)")}
    assert meanwhile.bart.display_name == "Here"
    assert not Member.objects.filter(uuid=meanwhile.left.uuid).exists()
    assert [note[0] for note in meanwhile.report.notes if note[2] == "removed"] == ["members", "threads"]


def a_list_deleted_there_stays_for_its_archive_alone(meanwhile):
    assert not MailingList.objects.filter(pk=meanwhile.bare.pk).exists()
    meanwhile.anon.refresh_from_db()
    assert (meanwhile.anon.settings["allow_list_posts"], meanwhile.anon.members.count()) == (False, 0)
    assert Mail.objects.filter(mailing_list=meanwhile.anon).count() == meanwhile.archived
    assert any("deleted in Mailman" in why for kind, _, _, why in meanwhile.report.notes if kind == "archives")


def a_list_that_moved_and_users_and_threads_that_were_joined_lose_nothing(meanwhile):
    board = meanwhile.board
    board.refresh_from_db()
    assert (board.list_id, board.mail_host, board.domain.mail_host) == (
        "board.lists.example.com", "lists.example.com", "lists.example.com")  # fmt: skip
    assert (Member.objects.count(), Vote.objects.count()) == (meanwhile.kept - 1, meanwhile.votes)
    assert Mail.objects.filter(mailing_list=board).count() == meanwhile.mails + 3
    threads = dict(
        Mail.objects.filter(message_id__endswith="@x", mailing_list=board).values_list("message_id", "thread__key")
    )
    other, joined = meanwhile.other.key, meanwhile.joined.key
    assert threads == {"99998@x": other, "99999@x": other, "100000@x": joined}
    assert all(thread.count == thread.mails.count() for thread in Thread.objects.all())
