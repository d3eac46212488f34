"""Real old installations are moved in whole: an independent comparison finds no difference that is not explained."""

import pytest
from upgrade.mailman3.compare import SECTIONS, Comparison, unexplained

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]


@pytest.mark.parametrize("section", SECTIONS)
def test_everything_is_here_as_its_own_release_says_it_was(moved_in, section):
    site, _ = moved_in
    comparison = Comparison(site.truth)
    getattr(comparison, section)()
    assert unexplained(comparison.found) == []
