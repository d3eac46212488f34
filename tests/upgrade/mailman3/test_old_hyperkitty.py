"""HyperKitty 1.0 knew lists by their addresses, authors' names by their addresses, and time zones by its own profile."""

import pytest

from postroad.foundation.errors import BadInput
from postroad.mailflow.archive.models import Mail
from postroad.upgrade.mailman3.installation import open_installation
from postroad.upgrade.mailman3.verify import checks
from postroad.upgrade.verifying import recount

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

TO_1_0 = """
ALTER TABLE hyperkitty_sender ADD COLUMN name varchar(255);
UPDATE hyperkitty_sender SET name = (SELECT max(sender_name) FROM hyperkitty_email WHERE sender_id = address);
ALTER TABLE hyperkitty_email DROP COLUMN sender_name;
UPDATE hyperkitty_email SET mailinglist_id = (SELECT name FROM hyperkitty_mailinglist l WHERE l.id = mailinglist_id);
UPDATE hyperkitty_thread SET mailinglist_id = (SELECT name FROM hyperkitty_mailinglist l WHERE l.id = mailinglist_id);
CREATE TABLE lists AS SELECT name, display_name, description, subject_prefix, archive_policy, created_at
    FROM hyperkitty_mailinglist;
DROP TABLE hyperkitty_mailinglist;
ALTER TABLE lists RENAME TO hyperkitty_mailinglist;
ALTER TABLE hyperkitty_profile ADD COLUMN timezone varchar(100);
UPDATE hyperkitty_profile SET timezone =
    (SELECT timezone FROM django_mailman3_profile p WHERE p.user_id = hyperkitty_profile.user_id);
DROP TABLE django_mailman3_profile;
DELETE FROM django_migrations WHERE app = 'hyperkitty' AND name > '0004';
"""


def test_an_archive_of_hyperkitty_1_0_comes_with_everything(small_site):
    with small_site.connect("web") as web:
        mails = web.execute(
            "SELECT l.name, message_id_hash, t.thread_id, CASE WHEN sender_name = sender_id THEN '' ELSE"
            " (SELECT max(sender_name) FROM hyperkitty_email o WHERE o.sender_id = e.sender_id) END"
            " FROM hyperkitty_email e JOIN hyperkitty_mailinglist l ON l.id = e.mailinglist_id"
            " JOIN hyperkitty_thread t ON t.id = e.thread_id"
        ).fetchall()
        zones = {zone for (zone,) in web.execute("SELECT timezone FROM django_mailman3_profile") if zone}
        web.executescript(TO_1_0)
    report = small_site.bring_in()
    assert not [note for note in report.notes if note[0] in ("threads", "archived mails")]
    found = Mail.objects.select_related("mailing_list", "thread").filter(mailing_list__list_name="board")
    assert {(m.mailing_list.fqdn_listname, m.message_id_hash, m.thread.key) for m in found} == {m[:3] for m in mails}
    assert len(mails) == found.count() > 5
    assert {mail.sender_name for mail in found} >= {name for *_, name in mails if name}
    told = {note[1].rpartition("time zone ")[2] for note in report.notes}
    assert zones - {"UTC"} <= told
    old = open_installation(small_site.named())
    assert [finding for finding in recount(old.name, checks(old)) if not finding.agrees] == []


def test_an_upgrade_of_hyperkitty_that_ended_half_way_is_told(small_site):
    with small_site.connect("web") as web:
        web.execute("DELETE FROM django_migrations WHERE app = 'hyperkitty' AND name >= '0015'")
    with pytest.raises(BadInput, match="finish it there first"):
        open_installation(small_site.named())
