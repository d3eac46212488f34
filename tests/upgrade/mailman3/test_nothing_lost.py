"""What lies beside the tables comes along too, or the report says why not: the prototype archive, files of settings."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from upgrade.mailman3.old_site import OldSite

from postroad.community.lists.models import MailingList
from postroad.mailflow.archive.models import Mail, Thread
from postroad.mailflow.delivery import signing_keys

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
FOLDER = "archives/prototype/dev@example.org/new"


def kind(report, name: str):
    return next(k for k in report.kinds if k.kind == name)


def told(report, name: str) -> dict[str, str]:
    return {note[1]: note[3] for note in report.notes if note[0] == name}


def test_without_hyperkitty_the_prototype_archive_is_the_archive_and_lists_come_as_ever(old_site):
    with old_site.connect() as core:
        core.execute("UPDATE mailinglist SET digest_is_default = 1 WHERE list_name = 'dev'")
    files = len(list((old_site.root / "archives/prototype").glob("*/new/*")))
    report = old_site.bring_in(web="none")
    waiting = 2  # Spooled for HyperKitty: they come to the archive by the queue.
    assert Mail.objects.count() == files - waiting > 40
    assert all(thread.count == thread.mails.count() for thread in Thread.objects.all())
    assert kind(report, "mails of the prototype").here == files
    # New members get digests where the old list said so.
    assert MailingList.objects.get(list_id="dev.example.org").settings["digest_is_default"] is True
    assert "did not obey it" in told(report, "lists")["dev.example.org: digest_is_default"]
    again = old_site.bring_in(web="none")
    assert kind(again, "mails of the prototype").unchanged == files


def test_mails_that_came_from_the_prototype_first_are_hyperkitty_s_when_it_has_them(old_site):
    old_site.bring_in(web="none")
    report = old_site.bring_in()
    assert kind(report, "archived mails").here == 692
    # HyperKitty never had the second of two mails with one Message-ID.
    other = Mail.objects.exclude(message_id_hash__in=hashes(old_site))
    assert [mail.message_id.partition("+")[0] for mail in other] == ["lmtp-dup.i3310@odd.example"]
    assert all(thread.count == thread.mails.count() for thread in Thread.objects.all())


def hashes(site) -> list[str]:
    with site.connect("web") as web:
        return [row[0] for row in web.execute("SELECT message_id_hash FROM hyperkitty_email")]


def test_a_mail_that_was_deleted_in_hyperkitty_and_the_second_with_one_message_id_are_named_and_not_brought_back(
    old_site,
):
    with old_site.connect("web") as web:
        of_dev = "SELECT id FROM hyperkitty_mailinglist WHERE name = 'dev@example.org'"
        rows = web.execute(
            f"SELECT message_id, max(archived_date) FROM hyperkitty_email WHERE mailinglist_id = ({of_dev}) GROUP BY 1"
        ).fetchall()
        ids = {row[0] for row in rows}
        in_files = {
            line.split("<", 1)[1].split(">")[0]
            for file in (old_site.root / FOLDER).iterdir()
            for line in file.read_text("latin-1").splitlines()
            if line.lower().startswith("message-id: <")
        }
        first, *others = sorted(ids & in_files)
        newest = max(others)
        gone, last = (first, newest) if first != newest else (others[0], first)
        web.execute("UPDATE hyperkitty_email SET archived_date = '2099-01-01 00:00:00' WHERE message_id = ?", (last,))
        web.execute("DELETE FROM hyperkitty_email WHERE message_id = ?", (gone,))
    report = old_site.bring_in()
    notes = told(report, "mails of the prototype").values()
    for why in ("deleted there, most likely", "same Message-ID"):
        assert sum(why in note for note in notes) == 1, notes
    assert len(notes) == 2
    assert not Mail.objects.filter(mailing_list__list_id="dev.example.org", message_id=gone).exists()


@pytest.fixture
def changed_site(small_site) -> OldSite:
    """A site with settings of its own making, and a mail that is older than HyperKitty."""
    with (small_site.root / "web/settings.py").open("a") as settings:
        settings.write("\nHOUSE_STYLE = 'blue'\nACCOUNT_SESSION_REMEMBER = True\n")
    with (small_site.root / "core/etc/mailman.cfg").open("a") as cfg:
        cfg.write("\n[house]\nstyle: blue\n")
    raw = b"From: anne@example.com\nSubject: Long ago\nMessage-ID: <long-ago@x>\n\nzebrafinch\n"
    (small_site.root / FOLDER / "1000000000.M1P1Q1.host").write_bytes(raw)
    return small_site


def test_what_lies_in_files_only_is_brought_or_told(changed_site):
    report = changed_site.bring_in()
    assert_every_key_is_told_and_no_secret(report)
    assert_settings_nobody_knows_are_named(report)
    mail = Mail.objects.get(message_id="long-ago@x")
    assert mail.mailing_list.list_id == "dev.example.org"
    assert mail.date.year == 2001


def assert_every_key_is_told_and_no_secret(report):
    settings, cfg = told(report, "web settings"), told(report, "site settings")
    assert {
        "ADMINS",
        "EMAIL_BACKEND",
        "HAYSTACK_CONNECTIONS",
        "MAILMAN_ARCHIVER_KEY",
        "SECRET_KEY",
        "TIME_ZONE",
    } <= set(settings)
    assert "[site] owner" in settings["ADMINS"]
    assert "UTC" in settings["TIME_ZONE"]
    assert "mailman-hyperkitty.cfg [general] api_key" in settings
    assert {
        "[ARC] authserv_id",
        "[dmarc] cache_lifetime",
        "[mailman] cache_life",
        "[mta] verp_delivery_interval",
    } <= set(cfg)
    assert "[site] owner" in cfg["[ARC] authserv_id"]
    assert not any("SecretArchiver" in text or "fixture-secret" in text for note in report.notes for text in note)


def assert_settings_nobody_knows_are_named(report):
    outcomes = {(note[0], note[1]): (note[2], note[3]) for note in report.notes}
    for name in (("web settings", "HOUSE_STYLE"), ("site settings", "[house] style")):
        assert outcomes[name] == (
            "impossible", "Postroad has no such setting; `postroad config` shows the ones there are",
        )  # fmt: skip
    assert "cannot be set otherwise" in outcomes["web settings", "ACCOUNT_SESSION_REMEMBER"][1]


def new_pem() -> bytes:
    """A key as openssl makes it."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    return made.private_bytes(encoding, form, serialization.NoEncryption())


@pytest.mark.parametrize("pem", [new_pem(), b"no key"])
def test_what_arc_sealed_with_signs_on(old_site, pem):
    """Its record is in DNS, so nothing need be published anew."""
    (old_site.root / "arc.pem").write_bytes(pem)
    cfg = old_site.root / "core/etc/mailman.cfg"
    arc = "[ARC]\nselector: old\ndomain: example.com\nprivkey: /opt/mailman/mm/var/arc.pem\n"
    cfg.write_text(cfg.read_text().replace("[ARC]\nenabled: no\n", f"{arc}enabled: yes\n"))
    report = old_site.bring_in(web="none")
    is_key = pem != b"no key"
    assert [key.selector for key in signing_keys.in_use(["example.com"])] == ["old"] * is_key
    assert ("signs from now on" if is_key else "no key to sign with") in told(report, "site settings")["[ARC] privkey"]
