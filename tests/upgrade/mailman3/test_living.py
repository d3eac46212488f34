"""Real old installations come in whole, by an independent comparison, and live on: posts, passwords, held mail.

Here are no tests with a site of their own: their rows and those of the sites that were moved in would mix.
"""

import hashlib
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db.models import Q
from django.test import Client
from django.utils import timezone
from upgrade.mailman3.compare import SECTIONS, Comparison, unexplained

from postroad.community.lists.models import MailingList
from postroad.community.notices.models import OwnText
from postroad.community.people.actions import create_user
from postroad.community.people.models import User
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.models import Member, Pending
from postroad.community.subscriptions.queries import effective_preferences
from postroad.foundation.message.compose import compose
from postroad.foundation.queue.actions import Claimed
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.bounces.models import BounceEvent
from postroad.mailflow.delivery import actions as delivery
from postroad.mailflow.delivery.copies import Source, personal
from postroad.mailflow.delivery.cutting import cut
from postroad.mailflow.delivery.relay import EVERYTHING
from postroad.mailflow.intake.actions import ACCEPTED, accept
from postroad.mailflow.intake.events import Transaction
from postroad.mailflow.moderation import actions as moderation
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.timetable import GATEWAYS, ISSUES, LOOKUPS, STAGES, TASKS
from postroad.upgrade.mailman3.databases import OldDatabase, place_of
from postroad.upgrade.mailman3.installation import open_installation
from postroad.upgrade.mailman3.verify import checks
from postroad.upgrade.verifying import recount

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]
WORD = "zebrafinch"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.mark.parametrize("section", SECTIONS)
def test_everything_is_here_as_its_own_release_says_it_was(moved_in, section):
    site, _ = moved_in
    comparison = Comparison(site.truth)
    getattr(comparison, section)()
    assert unexplained(comparison.found) == []


def test_a_second_run_changes_nothing(moved_in):
    site, first = moved_in
    report = site.bring_in()
    assert [(k.kind, k.new, k.changed, k.removed) for k in report.kinds] == [(k.kind, 0, 0, 0) for k in first.kinds]
    assert sorted(report.notes) == sorted(first.notes)


def test_recounting_agrees_and_sees_what_is_missing(moved_in):
    site, _ = moved_in
    assert [finding for finding in recounted(site) if not finding.agrees] == []
    Member.objects.filter(role="owner").first().delete()
    Mail.objects.filter(replies=None).first().delete()
    member = Member.objects.filter(role="member", delivery_status="by_user").first()
    Member.objects.filter(pk=member.pk).update(delivery_status="enabled", moderation_action="discard")
    dev = MailingList.objects.get(list_id="dev.example.org")
    dev.settings |= {"max_message_size": 17, "hold_these_nonmembers": ["x@x.example"], "bounce_info_stale_after": 1.5}
    dev.save()
    held = HeldMessage.objects.order_by("pk")
    other = HeldMessage.objects.exclude(message=held[0].message).first()
    HeldMessage.objects.filter(pk=held[0].pk).update(message=other.message)
    OwnText.objects.filter(pk=OwnText.objects.earliest("pk").pk).update(text="Other words")
    wrong = {finding.what: len(finding.missing) for finding in recounted(site) if not finding.agrees}
    assert wrong == {
        "memberships, by list and role": 1, "settings": 3, "members' options, each with its value": 10,
        "archived mails, by list": 1, "held posts, word for word": 1, "own texts, word for word": 1,
    }  # fmt: skip


def recounted(site):
    installation = open_installation(site.named())
    return recount(installation.name, checks(installation))


def walk(journeys_of: str) -> list[bytes]:
    """Do all the work for a list up to the relay; the copies it would have been given."""
    stages = {stage.queue: stage for stage in (*STAGES, *LOOKUPS, *ISSUES, *GATEWAYS)}
    copies = []
    while job := Job.objects.filter(list_id=journeys_of, state=Job.State.LIVE).order_by("id").first():
        claimed = Claimed(job.pk, job.claim, job.queue, decode(bytes(job.envelope)), 1, job.created_at)
        if job.queue != "delivery":
            stage = stages[job.queue]
            before = [stage.outside(claimed.envelope)] if stage.outside else []
            stage.do([claimed.envelope], *before)
            job.delete()
        elif not claimed.envelope.chunk:
            cut(claimed)
        else:
            work, template = delivery.load_works([claimed])[claimed.id]
            source = Source.load(work.envelope, template)
            for number, copy in enumerate(personal(source, list(enumerate(work.recipients)), 0)):
                copies.append(copy.content(EVERYTHING))
                work.results.set(number, "250 2.0.0 taken")
            delivery.finish([work])
    return copies


def receivers(mailing_list: MailingList) -> int:
    """How many members get posts as they come."""
    rows = Member.objects.filter(mailing_list=mailing_list, role="member")
    got = [effective_preferences(m) for m in rows.select_related("address", "user__preferred_address")]
    return sum(p["delivery_mode"] == "regular" and p["delivery_status"] == "enabled" for p in got)


def test_an_old_list_takes_a_post_delivers_it_to_its_members_and_archives_it(moved_in, name_server):
    mailing_list = MailingList.objects.get(list_id="dev.example.org")
    Job.objects.all().delete()
    author = Member.objects.filter(
        mailing_list=mailing_list, role="member", moderation_action=None, address__verified_on__isnull=False
    ).first()
    email = author.effective_address.email
    post = compose(from_=email, to="dev@example.org", subject="After the move", text=f"{WORD}\n", headers={})
    assert accept([Transaction(email, ("dev@example.org",), post)]) == [[ACCEPTED]]
    copies = [copy for copy in walk("dev.example.org") if b"Subject: [dev] After the move" in copy]
    assert all(WORD.encode() in copy for copy in copies)
    assert receivers(mailing_list) - 1 <= len(copies) <= receivers(mailing_list)
    assert Mail.objects.filter(mailing_list=mailing_list, subject="After the move").count() == 1


def test_a_reply_to_an_old_mail_joins_its_thread(moved_in):
    from postroad.mailflow.archive.actions import Incoming, archive

    old = Mail.objects.filter(mailing_list__list_id="dev.example.org", replies__isnull=False).first()
    raw = (
        f"From: a@x.example\r\nSubject: Re: x\r\nMessage-ID: <new@x.example>\r\n"
        f"In-Reply-To: <{old.message_id}>\r\n\r\nyes\r\n"
    ).encode()
    new = archive(old.mailing_list, Incoming(raw, "new@x.example", timezone.now().timestamp()))
    assert (new.thread_id, new.parent_id) == (old.thread_id, old.pk)


def test_an_old_password_signs_in_and_gets_a_new_hash(moved_in):
    from django.contrib.auth.hashers import check_password, make_password

    user = User.objects.get(emailaddress__email="anne@example.com", emailaddress__verified=True)
    assert user.password.startswith("pbkdf2_sha256$")
    # The fixtures do not tell the words behind their hashes; the same kind of hash of a word we know does.
    user.password = make_password("old word", hasher="pbkdf2_sha256")
    user.save()
    answer = Client().post("/accounts/login/", {"login": "anne@example.com", "password": "old word"})
    assert answer.status_code == 302
    user.refresh_from_db()
    assert user.password.startswith("argon2")
    assert check_password("old word", user.password)


def test_a_person_only_the_core_knew_signs_in_with_the_core_s_password(moved_in):
    passlib = pytest.importorskip("passlib.hash")
    user = User.objects.filter(password__startswith="crypt$", addresses__verified_on__isnull=False).first()
    email = user.addresses.filter(verified_on__isnull=False).first().email
    user.password = "crypt$" + passlib.sha512_crypt.using(rounds=1000).hash("core word")
    user.save()
    assert Client().post("/accounts/login/", {"login": email, "password": "wrong"}).status_code == 200
    assert Client().post("/accounts/login/", {"login": email, "password": "core word"}).status_code == 302


def test_every_held_post_can_be_accepted(moved_in, name_server):
    for held in list(HeldMessage.objects.select_related("mailing_list")):
        assert moderation.decide(held, "accept", by="the test") == "accepted"
    assert not HeldMessage.objects.exists()
    for list_id in ("dev.example.org", "users.lists.example.com"):
        assert walk(list_id)


def test_a_held_post_answers_to_the_token_of_mailman_s_notice(moved_in):
    site, _ = moved_in
    pending = next(p for p in site.truth["core"]["model"]["pendings"] if p["data"].get("type") == "held message"
                   and HeldMessage.objects.filter(request_id=p["data"]["id"]).exists())  # fmt: skip
    assert moderation.answer_hold(pending["token"]) == "discarded"
    assert not HeldMessage.objects.filter(request_id=pending["data"]["id"]).exists()


def test_a_pending_confirmation_confirms_with_the_token_that_was_mailed(moved_in):
    site, _ = moved_in
    done = 0
    for pending in site.truth["core"]["model"]["pendings"]:
        row = Pending.objects.filter(token_hash=hashlib.sha256(pending["token"].encode()).hexdigest()).first()
        if row is None or row.token_owner != "subscriber":
            continue
        mailing_list = MailingList.objects.get(list_id=row.list_id)
        subscriptions.confirm(pending["token"], mailing_list)
        assert not Pending.objects.filter(pk=row.pk, token_owner="subscriber").exists()
        done += 1
    assert done >= 2


def test_a_day_of_running_after_thousands_of_stale_bounces_disables_nobody(moved_in, monkeypatch):
    """The trap of the founding document: an upgraded site that disables its members for bounces of long ago.

    Every task of the timetable is run at each of its times for a day, and once more a day later.
    """
    events = list(BounceEvent.objects.order_by("pk")[:250])
    for _ in range(10):
        for event in events:
            event.pk = None
        BounceEvent.objects.bulk_create(events)
    assert BounceEvent.objects.count() > 2500
    # Whom Mailman had switched off, and warned as often as the list says, is removed, as they would have been there.
    warned = Q(delivery_status="by_bounces", total_warnings_sent__gte=1)
    members = Member.objects.exclude(pk__in=list(Member.objects.filter(warned).values_list("pk", flat=True)))
    kept = ("uuid", "delivery_status", "bounce_score")
    before = set(members.values_list(*kept))
    now = timezone.now()
    for hour in (*range(25), 48):
        monkeypatch.setattr("django.utils.timezone.now", lambda hour=hour: now + timedelta(hours=hour))
        monkeypatch.setattr("time.time", lambda hour=hour: (now + timedelta(hours=hour)).timestamp())
        for task in TASKS:
            if task.name != "fetch news" and (hour == 0 or task.interval <= 3600 or hour in (24, 48)):
                task.run()
    assert set(members.values_list(*kept)) == before


def test_private_archives_are_private(moved_in):
    private = MailingList.objects.filter(archive_policy="private", archived__isnull=False).distinct()
    assert private
    for mailing_list in private:
        mail = mailing_list.archived.first()
        assert Client().get(f"/lists/{mailing_list.list_id}/message/{mail.message_id_hash}/").status_code == 404


def test_every_old_address_of_an_attachment_leads_to_its_bytes_and_private_ones_only_readers(moved_in):
    site, _ = moved_in
    reader = Client()
    reader.force_login(create_user("root@x.example", is_server_owner=True), backend=BACKEND)
    asked = 0
    for address, archive in site.truth["web"]["archives"]["lists"].items():
        private = MailingList.objects.get(list_id=archive["list_id"]).archive_policy == "private"
        files = [(digest, file) for digest, mail in archive["emails"].items() for file in mail["attachments"]]
        for digest, file in files[:25]:
            url = f"/hyperkitty/list/{address}/message/{digest}/attachment/{file['counter']}/{quote(file['name'])}"
            stranger = Client().get(url)
            assert stranger.status_code == (404 if private else 301), url
            answer = reader.get(url, follow=True)
            asked += 1
            # In a mail that is here as it came, lines of a text that was not packed end as on the wire, and a mail in
            # it is what its author sent; HyperKitty kept it as Python writes it down.
            ways = (answer.content, answer.content.replace(b"\r\n", b"\n"))
            same = file["sha256"] in [hashlib.sha256(way).hexdigest() for way in ways]
            assert same or (file["content_type"] == "message/rfc822" and answer.status_code == 200), url
    assert asked > 60


def test_whoever_left_a_digest_half_way_gets_that_one_still(moved_in):
    site, _ = moved_in
    rows = list(OldDatabase(place_of(site.core)).rows("onelastdigest", ("address_id",)))
    assert len(rows) == 4
    left = Member.objects.exclude(digest_left=None)
    assert left.count() == len(rows)
    for member in left:
        assert member.digest_left in ("plaintext_digests", "mime_digests", "summary_digests")
        post = Job.objects.filter(queue="digests", list_id=member.mailing_list.list_id).order_by("pk").first()
        assert post is None or decode(bytes(post.envelope)).received_at <= member.digest_left_at
