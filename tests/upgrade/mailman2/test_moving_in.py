"""A Mailman 2.1 site moves in: everything is here or told, and what came goes on working."""

import hashlib
import pickle

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.utils import timezone

from postroad.community.bans.models import Ban
from postroad.community.lists.actions import change_settings
from postroad.community.lists.models import HeaderMatch, MailingList
from postroad.community.notices.models import OwnText
from postroad.community.people.models import Address, User
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.models import Member, Pending
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.intake.actions import ACCEPTED, accept
from postroad.mailflow.intake.events import Transaction
from postroad.mailflow.moderation import actions as moderation
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.timetable import GATEWAYS, LOOKUPS, STAGES
from postroad.upgrade.importing.plan import ImportStopped
from postroad.upgrade.mailman2.site import OldSite
from postroad.upgrade.mailman2.verify import checks
from postroad.upgrade.verifying import recount
from tests.upgrade.mailman2.compare import differences

pytestmark = pytest.mark.django_db(transaction=True)


def mailboxes(root):
    return {name: (root / f"archives/private/{name}.mbox/{name}.mbox").read_bytes() for name in ("classic", "umlaut")}


def write_list(root, name="small", **attributes):
    """A list of our own, as Python 2 would have pickled it."""
    folder = root / "lists" / name
    folder.mkdir(parents=True, exist_ok=True)
    data = {"host_name": b"lists.old.example", "owner": [b"o@x.example"], "preferred_language": b"en", **attributes}
    (folder / "config.pck").write_bytes(pickle.dumps({key.encode(): value for key, value in data.items()}, 1))
    return root


def work(list_id):
    """Let the stages work until only deliveries wait; how many."""
    stages = {stage.queue: stage for stage in (*STAGES, *LOOKUPS, *GATEWAYS)}
    while job := Job.objects.filter(list_id=list_id, queue__in=stages).order_by("id").first():
        stage, envelope = stages[job.queue], decode(bytes(job.envelope))
        job.delete()
        if job.queue == "usenet":
            continue  # There is no news server here.
        stage.do([envelope], *([stage.outside(envelope)] if stage.outside else []))
    return Job.objects.filter(queue="delivery").count()


def test_everything_is_the_same_here_or_told_with_a_reason(m21, truth, bring):
    report = bring(jobs=1)
    assert differences(truth, mailboxes(m21), report.notes) == []
    again = bring(jobs=1)
    assert [(k.kind, k.new, k.changed, k.removed) for k in again.kinds if k.new + k.changed + k.removed] == []
    assert sorted(again.notes) == sorted(report.notes)


def test_a_list_that_came_lives_on(bring, name_server):
    """It takes a post, delivers and archives it; a held mail is let through; mailed secrets are good."""
    bring(jobs=1)
    classic = MailingList.objects.get(list_id="classic.lists.old.example")
    post = b"From: bart@example.com\r\nTo: classic@lists.old.example\r\nSubject: We moved\r\nMessage-ID: <new@x>\r\n\r\nHi.\r\n"
    assert accept([Transaction("bart@example.com", ("classic@lists.old.example",), post)]) == [[ACCEPTED]]
    assert work(classic.list_id) > 0
    assert Mail.objects.filter(mailing_list=classic, message_id="new@x").exists()

    held = HeldMessage.objects.get(mailing_list=classic, request_id=1)
    assert moderation.decide(held, "accept") == "accepted"
    work(classic.list_id)
    assert Mail.objects.filter(mailing_list=classic, message_id="held-0-classic@example.net").exists()
    answer = "423f5f4a699e4937b5ca9e3e5d7253c8f3618f88"
    assert not HeldMessage.objects.filter(token_hash=hashlib.sha256(answer.encode()).hexdigest()).exists()

    waits = subscriptions.confirm("2e4370e0a570a4577380defcc2aa7500b1196ab6")
    assert waits.token_owner == "moderator"
    joined = subscriptions.decide(Pending.objects.get(list_id=classic.list_id, email="pend@example.net"), "accept")
    assert joined.member is not None
    assert subscriptions.confirm("60c9d593a4ae1e40c79bdc45e5ab40f290227d49").token_owner == "moderator"
    asked = Pending.objects.filter(list_id=classic.list_id, kind="unsubscription", email="anne@example.com").first()
    subscriptions.decide(asked, "accept")
    assert not Member.objects.filter(mailing_list=classic, role="member", address__email="anne@example.com").exists()
    asked = Pending.objects.get(list_id=classic.list_id, email="wants-in1@example.net")
    assert subscriptions.decide(asked, "accept").member.delivery_mode == "mime_digests"


def test_private_archives_are_private_and_bounces_disable_nobody(bring):
    from postroad.mailflow.bounces import actions as bounces

    bring(jobs=1)
    assert MailingList.objects.get(list_name="umlaut").archive_policy == "private"
    before = dict(Member.objects.values_list("pk", "delivery_status"))
    for name in ("warn", "work_off", "remind", "daily"):
        getattr(bounces, name, lambda: None)()
    assert dict(Member.objects.values_list("pk", "delivery_status")) == before
    for member in Member.objects.filter(delivery_status="by_bounces"):
        assert member.last_warning_sent is not None
        assert (timezone.now() - member.last_warning_sent).total_seconds() < 600


def test_the_one_owner_signs_in_with_the_list_s_password_once_and_it_is_kept_better_then(tmp_path, bring):
    write_list(tmp_path, password=hashlib.sha1(b"geheim").hexdigest().encode())
    bring(tmp_path)
    user = User.objects.get(email="o@x.example")
    assert EmailAddress.objects.filter(user=user, verified=True).exists()
    assert user.password.startswith("sha1$$")
    assert authenticate(email="o@x.example", password="wrong") is None
    assert authenticate(email="o@x.example", password="geheim") == user
    user.refresh_from_db()
    assert user.password.startswith("argon2$")


def test_of_several_owners_nobody_gets_the_list_s_password(tmp_path, bring):
    write_list(tmp_path, password=hashlib.sha1(b"geheim").hexdigest().encode(), owner=[b"o@x.example", b"p@x.example"])
    bring(tmp_path)
    assert not any(user.has_usable_password() for user in User.objects.all())


def test_readable_passwords_are_dropped(tmp_path, bring):
    write_list(tmp_path, members={b"m@x.example": 0}, passwords={b"m@x.example": b"my-secret"})
    report = bring(tmp_path)
    assert not User.objects.get(email="m@x.example").has_usable_password()
    assert "my-secret" not in str(list(report.notes))
    assert any("sign in by a code" in note[3] for note in report.notes)


def test_a_pickle_that_wants_to_run_code_is_named_and_stops_nothing(tmp_path, bring):
    write_list(tmp_path)
    evil = tmp_path / "lists" / "evil"
    evil.mkdir()
    (evil / "config.pck").write_bytes(b"cos\nsystem\n(S'touch /tmp/postroad-ran'\ntR.")
    report = bring(tmp_path)
    assert MailingList.objects.filter(list_name="small").exists()
    assert any(name == "evil" and "'os.system'" in why for _, name, _, why in report.notes)


@pytest.mark.parametrize("damage", [b"", b"\x80", b"(dp0\nS'host"])
def test_a_damaged_configuration_is_read_from_the_one_before(tmp_path, bring, damage):
    write_list(tmp_path, description=b"Kept")
    file = tmp_path / "lists" / "small" / "config.pck"
    file.rename(file.with_name("config.pck.last"))
    file.write_bytes(damage)
    report = bring(tmp_path)
    assert MailingList.objects.get().settings["description"] == "Kept"
    assert any("config.pck.last" in why for _, _, _, why in report.notes)


def test_odd_bytes_in_names_and_texts_stop_nothing(tmp_path, bring):
    """In a folder's name, in what people are called, in a list's own text, in an address."""
    write_list(tmp_path, "b\udce4d")
    write_list(tmp_path, members={b"a@x.example": 0, "j\udce9@x.example".encode("latin-1", "surrogateescape"): 0},
               usernames={b"a@x.example": "A\ud800\0"}, info="half \ud800")  # fmt: skip
    report = bring(tmp_path)
    assert MailingList.objects.get().settings["info"] == "half \ufffd"
    assert Address.objects.get(email="a@x.example").display_name == "A\ufffd"
    named = {name for _, name, outcome, _ in report.notes if outcome == "impossible"}
    assert "b\\udce4d" in named
    site = OldSite(tmp_path)
    found = recount(site.name, checks(site))
    assert [finding.missing for finding in found if not finding.agrees] == []


def test_what_changed_in_the_living_site_follows_and_who_left_is_gone(tmp_path, bring):
    own = {"header_filter_rules": [(b"subject: sale", 3, False)], "msg_footer": b"Ours", "goodbye_msg": b"Farewell",
           "info": b"Theirs"}  # fmt: skip
    write_list(tmp_path, members={b"a@x.example": 0, b"b@x.example": 0}, **own)
    bring(tmp_path)
    assert (OwnText.objects.count(), HeaderMatch.objects.count()) == (2, 1)
    change_settings(MailingList.objects.get(), {"info": "Set here"})
    write_list(tmp_path, members={b"a@x.example": 0, b"b@x.example": 0}, post_id=77.0, **own)
    bring(tmp_path)  # Posts went on there, and nobody changed a setting.
    assert MailingList.objects.values_list("settings__info", "post_id").get() == ("Set here", 77)
    write_list(
        tmp_path, members={b"B@x.example": b"B@x.example", b"c@x.example": 0}, description=b"New", goodbye_msg=b""
    )
    bring(tmp_path)
    assert (OwnText.objects.count(), HeaderMatch.objects.count()) == (0, 0)
    here = Member.objects.filter(role="member").values_list("address__email", flat=True)
    assert sorted(here) == ["b@x.example", "c@x.example"]
    assert MailingList.objects.get().settings["description"] == "New"


def test_a_list_that_cannot_be_read_any_more_keeps_what_came_and_is_named(tmp_path, bring):
    write_list(tmp_path, members={b"a@x.example": 0}, ban_list=[b"b@x.example"])
    write_list(tmp_path, "other", members={b"c@x.example": 0})
    bring(tmp_path)
    (tmp_path / "lists" / "small" / "config.pck").write_bytes(b"\x80")
    report = bring(tmp_path)
    assert any((kind, name) == ("lists", "small") and "cut short" in why for kind, name, _, why in report.notes)
    assert Member.objects.filter(mailing_list__list_name="small", role="member").count() == 1
    assert Ban.objects.count() == 1
    write_list(tmp_path, members={b"d@x.example": 0})
    bring(tmp_path)
    here = Member.objects.filter(mailing_list__list_name="small", role="member")
    assert [member.address.email for member in here] == ["d@x.example"]
    assert not Ban.objects.exists()


def test_a_site_whose_members_or_archive_are_gone_takes_nothing_away_unless_told(tmp_path, bring):
    everybody = {b"m%d@x.example" % number: 0 for number in range(30)}
    write_list(tmp_path, members=everybody)
    box = tmp_path / "archives/private/small.mbox/small.mbox"
    box.parent.mkdir(parents=True)
    box.write_bytes(b"From a@x.example Thu Jan  1 10:00:00 2004\nFrom: a@x.example\nMessage-ID: <1@x>\n\nHi.\n")
    bring(tmp_path)
    box.rename(box.with_name("elsewhere"))
    with pytest.raises(ImportStopped, match="0 of the 1 mails"):
        bring(tmp_path, dry_run=True)
    write_list(tmp_path, members={})
    with pytest.raises(ImportStopped, match="1 of the 31 members"):
        bring(tmp_path)
    assert Member.objects.count() == 31
    bring(tmp_path, take_away=True)
    assert Member.objects.count() == 1


def test_who_is_here_already_stays_as_they_are(tmp_path, bring):
    from postroad.community.people.actions import create_user

    mine = create_user("m@x.example", "My Name", "password-of-mine")
    write_list(tmp_path, members={b"m@x.example": 0}, usernames={b"m@x.example": b"Old"}, owner=[b"m@x.example"],
               password=hashlib.sha1(b"geheim").hexdigest().encode())  # fmt: skip
    bring(tmp_path)
    address = Address.objects.get(email="m@x.example")
    mine.refresh_from_db()
    assert (address.user, address.display_name, mine.check_password("password-of-mine")) == (mine, "My Name", True)
    assert Member.objects.filter(address=address, role="member").exists()


def test_texts_in_every_old_encoding_are_read_and_a_list_alone_takes_no_other_away(tmp_path, bring):
    for name, language, raw, expected in (
        ("latin", b"de", "Grüße".encode("latin-1"), "Grüße"), ("greek", b"el", "Γειά".encode("iso-8859-7"), "Γειά"),
        ("russian", b"ru", "Привет".encode("koi8-r"), "Привет"), ("japan", b"ja", "日本語".encode("euc-jp"), "日本語"),
        ("utf", b"de", "Grüße".encode(), "Grüße"), ("unicode", b"de", "Grüße", "Grüße"),
    ):  # fmt: skip
        write_list(tmp_path, name, preferred_language=language, description=raw)
        bring(tmp_path, lists=[name])
        assert MailingList.objects.get(list_name=name).settings["description"] == expected
    assert MailingList.objects.count() == 6


def test_the_cut_over_brings_queues_and_digests_and_before_it_they_are_told(m21, bring):
    before = bring(jobs=1)
    assert any(kind == "queued mail" and "--cut-over" in why for kind, _, _, why in before.notes)
    assert not Job.objects.exists()
    after = bring(jobs=1, cut_over=True)
    queues = sorted(Job.objects.values_list("queue", flat=True))
    assert queues.count("digests") == 6
    assert "moderation" in queues
    assert not any("--cut-over" in why for _, _, _, why in after.notes)
    count = Job.objects.count()
    bring(jobs=1, cut_over=True)
    assert Job.objects.count() == count
