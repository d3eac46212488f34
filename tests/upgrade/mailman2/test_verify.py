"""`postroad verify mailman2` counts by itself: what came agrees, and each thing that is lost or changed is named."""

import pytest

from postroad.community.bans.models import Ban
from postroad.community.lists.models import HeaderMatch, MailingList
from postroad.community.notices.models import OwnText
from postroad.community.subscriptions.models import Member, Pending
from postroad.foundation.queue.models import Job
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.moderation.models import HeldMessage
from postroad.upgrade.mailman2.site import OldSite
from postroad.upgrade.mailman2.verify import checks
from postroad.upgrade.verifying import as_page, recount

pytestmark = pytest.mark.django_db(transaction=True)


def differences(root):
    site = OldSite(root)
    findings = recount(site.name, checks(site))
    return {finding.what: finding.missing for finding in findings if not finding.agrees}, findings


def test_a_site_that_moved_agrees_and_whatever_is_lost_or_changed_is_seen(m21, bring):
    bring(jobs=1, cut_over=True)
    found, findings = differences(m21)
    assert found == {}
    assert {f.what: f.told for f in findings if f.told} == {
        "memberships, by list and role": 1, "members' options, each with its value": 7,
        "header checks": 2, "own texts, word for word": 1, "held posts, word for word": 2,
        "secrets that were mailed": 1,
    }  # fmt: skip

    classic = MailingList.objects.get(list_name="classic")
    Member.objects.filter(mailing_list=classic, role="moderator").first().delete()
    Member.objects.filter(mailing_list=classic, delivery_status="by_bounces").update(delivery_status="enabled")
    classic.settings["max_message_size"] += 1
    assert classic.settings["bounce_score_threshold"] == 4  # The report tells so of 3.5, and explains nothing else.
    classic.settings["bounce_score_threshold"] = 9
    classic.settings["archive_policy"] = classic.archive_policy = "private"
    classic.save()
    with_topics = next(made for made in MailingList.objects.all() if made.settings.get("topics"))
    with_topics.settings["topics"] = with_topics.settings["topics"][1:]
    with_topics.save()
    Ban.objects.first().delete()
    OwnText.objects.filter(name="list:member:regular:footer").update(text="Other words")
    HeaderMatch.objects.filter(action="discard").update(action="accept")
    held = HeldMessage.objects.filter(mailing_list=classic)
    held.filter(pk=held.earliest("pk").pk).update(message=held.latest("pk").message)
    Pending.objects.filter(token_owner="moderator", kind="unsubscription").first().delete()
    Mail.objects.filter(mailing_list=classic, replies=None).first().delete()
    Job.objects.filter(queue="digests").first().delete()
    found, findings = differences(m21)
    assert {what: len(missing) for what, missing in found.items()} == {
        "settings": 3, "archives, public, private or never": 1, "memberships, by list and role": 1,
        "members' options, each with its value": 2, "bans": 1, "header checks": 2, "topics": 1,
        "own texts, word for word": 1,
        "held posts, word for word": 1, "requests to join and leave": 1, "archived mails, byte for byte": 1,
        "posts of the next digest": 1,
    }  # fmt: skip
    assert "missing: classic.lists.old.example public" in as_page(findings)
