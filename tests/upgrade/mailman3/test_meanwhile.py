"""What happens on both sides between the shadow and the cut-over: nothing is lost, doubled or overruled untold."""

import pytest
from django.db import transaction

from postroad.community.lists.actions import change_settings
from postroad.community.lists.models import MailingList
from postroad.community.people.models import User
from postroad.community.subscriptions.models import Member
from postroad.mailflow.archive import actions as archive
from postroad.mailflow.archive.models import Mail

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


def test_a_cut_over_keeps_what_was_done_here_and_names_what_it_overrules(small_site):
    small_site.bring_in(cut_over=False)
    dev = MailingList.objects.get(list_id="dev.example.org")
    change_settings(dev, {"description": "Set here", "max_message_size": 11, "subject_prefix": "[here] "})
    left, options = Member.objects.filter(mailing_list=dev, role="member", address__isnull=False)[:2]
    left.delete()
    Member.objects.filter(pk=options.pk).update(delivery_status="by_user", acknowledge_posts=True)
    password = User.objects.get(addresses__email="bart@example.com")
    User.objects.filter(pk=password.pk).update(password="of here", display_name="Here")
    with small_site.connect() as core:
        core.execute("UPDATE mailinglist SET description = 'There', max_num_recipients = 77, subject_prefix = '[there] '"
                     " WHERE list_id = 'dev.example.org'")  # fmt: skip
        core.execute("UPDATE member SET moderation_action = 1, bounce_score = 2 WHERE list_id = 'dev.example.org'")
        core.execute("UPDATE preferences SET delivery_status = 1 WHERE id = (SELECT preferences_id FROM member WHERE"
                     " _member_id = ?)", (options.uuid.hex,))  # fmt: skip
    with small_site.connect("web") as web:
        web.execute("UPDATE auth_user SET password = 'pbkdf2_sha256$1$s$new' WHERE username = 'bart'")
    report = small_site.bring_in()
    dev.refresh_from_db()
    assert (dev.settings["description"], dev.settings["max_num_recipients"]) == ("There", 77)
    assert dev.settings["max_message_size"] == 11
    clashes = set(report.clashes.values())
    assert ("lists", "dev.example.org", "description", "Set here", "There") in clashes
    assert ("lists", "dev.example.org", "subject_prefix", "[here] ", "[there] ") in clashes
    assert not Member.objects.filter(uuid=left.uuid).exists()
    options.refresh_from_db()
    assert (options.moderation_action, options.acknowledge_posts) == ("reject", True)
    assert {c[2:] for c in clashes if c[0] == "members"} == {("delivery_status", "by_user", "enabled")}
    assert {c[2:] for c in clashes if c[0] == "users"} == {("password", "(not shown)", "(not shown)")}
    password.refresh_from_db()
    assert password.display_name == "Here"
    assert [note[0] for note in report.notes if note[2] == "removed"] == ["members"]


def test_a_list_deleted_there_goes_and_its_archive_stays_with_what_came_here_meanwhile(small_site):
    small_site.bring_in(cut_over=False)
    board, bare = MailingList.objects.get(list_name="board"), MailingList.objects.filter(archived=None).earliest("pk")
    raw = b"From: a@x.example\r\nMessage-ID: <h@x>\r\nSubject: here\r\n\r\nhere\r\n"
    with transaction.atomic():
        archive.archive(board, archive.Incoming(raw, "h@x", 1_790_000_000.0))
    mails = Mail.objects.filter(mailing_list=board).count()
    with small_site.connect() as core:
        for name in (board, bare):
            number = core.execute("SELECT id FROM mailinglist WHERE list_id = ?", (name.list_id,)).fetchone()[0]
            core.execute("DELETE FROM member WHERE list_id = ?", (name.list_id,))
            core.execute("DELETE FROM _request WHERE mailing_list_id = ?", (number,))
            core.execute("DELETE FROM mailinglist WHERE id = ?", (number,))
    with small_site.connect("web") as web:
        web.execute("DELETE FROM hyperkitty_mailinglist WHERE list_id = ?", (bare.list_id,))
    report = small_site.bring_in()
    assert not MailingList.objects.filter(pk=bare.pk).exists()
    board.refresh_from_db()
    assert (board.settings["allow_list_posts"], board.members.count()) == (False, 0)
    assert Mail.objects.filter(mailing_list=board).count() == mails > 1
    assert any("deleted in Mailman" in why for kind, _, _, why in report.notes if kind == "archives")
