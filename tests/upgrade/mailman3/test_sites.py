"""Real old installations are moved in whole: an independent comparison finds no difference that is not explained.

Here are no tests with a site of their own: their rows and those of the sites that were moved in would mix.
"""

import pytest
from upgrade.mailman3.compare import SECTIONS, Comparison, unexplained

from postroad.community.subscriptions.models import Member
from postroad.mailflow.archive.models import Mail
from postroad.upgrade.mailman3.installation import open_installation
from postroad.upgrade.mailman3.verify import checks
from postroad.upgrade.verifying import recount

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]


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
    wrong = {finding.what: len(finding.missing) for finding in recounted(site) if not finding.agrees}
    assert wrong == {"memberships, by list and role": 1, "archived mails, by list": 1}


def recounted(site):
    installation = open_installation(site.named())
    return recount(installation.name, checks(installation))
