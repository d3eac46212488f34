"""Old sites on disk, and one that is moved in once for all tests of a module."""

import pytest
from upgrade.mailman3.old_site import SERVER, OldSite, drop, lay_out


@pytest.fixture(scope="session")
def _laid_out(tmp_path_factory):
    """Each installation is unpacked once."""
    sites = {}

    def laid_out(name: str) -> OldSite:
        if name not in sites:
            sites[name] = lay_out(name, tmp_path_factory.mktemp(name))
        return sites[name]

    yield laid_out
    for site in sites.values():
        drop(site)


@pytest.fixture(scope="module", params=["I320", "I335", "I3310"])
def moved_in(request, _laid_out, django_db_setup, django_db_blocker):
    """An old site with its report; its rows stay for the module's tests, each of which undoes what it does."""
    if request.param == "I335" and not SERVER:
        pytest.skip("its databases are PostgreSQL's")
    site = _laid_out(request.param)
    with django_db_blocker.unblock():
        report = site.bring_in()
        yield site, report
        from django.core.management import call_command

        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)


@pytest.fixture
def old_site(_laid_out, tmp_path) -> OldSite:
    """An installation of one's own, to change."""
    return _laid_out("I3310").copy(tmp_path)


@pytest.fixture
def small_site(old_site) -> OldSite:
    """One with few mails in its archive."""
    old_site.keep_few_mails()
    return old_site
