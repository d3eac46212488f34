"""Domains, lists, settings, header checks and counters: what the verbs do and refuse."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from postroad.community.lists import actions, queries, settings
from postroad.community.lists.archivers import switches
from postroad.community.lists.models import Domain, MailingList
from postroad.community.notices.models import TemplateUri
from postroad.community.subscriptions.models import Pending
from postroad.foundation.errors import BadInput, NotFound
from postroad.mailflow.bounces.settings import bounce_info_stale_after
from postroad.mailflow.moderation.settings import accept_these_nonmembers

pytestmark = pytest.mark.django_db


def test_a_domain_is_made_once_and_in_lower_case():
    domain = actions.create_domain("Lists.Example.COM", description="Ours", alias_domain="Old.example")
    assert (domain.mail_host, domain.alias_domain, domain.description) == ("lists.example.com", "old.example", "Ours")
    assert queries.find_domain("LISTS.example.com") == domain
    with pytest.raises(BadInput, match="exists already"):
        actions.create_domain("lists.example.com")


@pytest.mark.parametrize(
    ("made", "other"), [("bücher.example", "xn--bcher-kva.example"), ("xn--bcher-kva.example", "Bücher.example")]
)
def test_a_domain_is_one_in_both_of_its_forms(made, other):
    """RFC 5891 §4.4: mail comes for either, so there must not be two."""
    domain = actions.create_domain(made)
    assert queries.find_domain(other) == domain
    with pytest.raises(BadInput, match="exists already"):
        actions.create_domain(other)
    ant = actions.create_list(f"ant@{other}")
    assert (ant.mail_host, ant.list_id) == (made, f"ant.{made}")
    assert queries.find_list(f"ant@{made}") == queries.find_list(f"ant@{other}") == ant
    with pytest.raises(BadInput, match="Mailing list exists"):
        actions.create_list(f"ant@{made}")


@pytest.mark.parametrize("host", ["", "a b", "-x.com", "a..b", "x@y.com", "a/b", "x" * 254])
def test_what_is_no_host_is_no_domain(host):
    with pytest.raises(BadInput, match="Not a mail host"):
        actions.create_domain(host)


def test_a_domain_changes_only_in_what_is_given():
    domain = actions.create_domain("example.com", description="Ours")
    actions.change_domain(domain, alias_domain="example.net", base_url="https://example.com/")
    domain.refresh_from_db()
    assert (domain.description, domain.alias_domain) == ("Ours", "example.net")
    actions.change_domain(domain, alias_domain="")
    assert Domain.objects.get().alias_domain is None
    with pytest.raises(BadInput):
        actions.change_domain(domain, alias_domain="no host")


def test_a_list_is_made_in_lower_case_with_the_values_of_its_style():
    actions.create_domain("example.com")
    made = actions.create_list("Ant@Example.com", "private-default")
    made.refresh_from_db()
    assert (made.list_id, made.list_name, made.mail_host) == ("ant.example.com", "ant", "example.com")
    assert (made.advertised, made.archive_policy, made.settings) == (False, "private", {})
    assert settings.display_name.of(made) == "Ant"
    assert settings.subject_prefix.of(made) == "[Ant] "


@pytest.mark.parametrize(
    ("address", "style", "why"),
    [
        ("ant@example.com", "legacy-default", "Mailing list exists"),
        ("ANT@example.com", "legacy-default", "Mailing list exists"),
        ("bee@example.org", "legacy-default", "Domain does not exist: example.org"),
        ("bee", "legacy-default", "Invalid list posting address"),
        ("be e@example.com", "legacy-default", "Invalid list posting address"),
        ("b?e@example.com", "legacy-default", "Invalid list name"),
        ("b+e@example.com", "legacy-default", "Invalid list name"),
        ("bee@example.com", "fancy", "Unknown style fancy"),
    ],
)
def test_a_list_that_cannot_be_is_refused_with_its_reason(ant, address, style, why):
    with pytest.raises(BadInput, match=why):
        actions.create_list(address, style)
    assert MailingList.objects.count() == 1


def test_two_addresses_that_make_the_same_list_id_cannot_both_be():
    actions.create_domain("b.example")
    actions.create_domain("example")
    actions.create_list("a@b.example")
    with pytest.raises(BadInput):
        actions.create_list("a.b@example")


def test_a_deleted_list_takes_along_what_names_it_in_text(ant):
    TemplateUri.objects.create(context=ant.list_id, name="list:member:regular:footer", uri="x")
    TemplateUri.objects.create(context="", name="list:member:regular:footer", uri="x")
    Pending.objects.create(
        token_hash="h", token="t", kind="subscription", list_id=ant.list_id, email="a@example.com",
        token_owner="subscriber", expires_at=timezone.now(),
    )  # fmt: skip
    actions.delete_list(ant)
    assert not MailingList.objects.exists()
    assert not Pending.objects.exists()
    assert TemplateUri.objects.get().context == ""


def test_a_deleted_domain_takes_its_lists_along(ant):
    TemplateUri.objects.create(context="example.com", name="domain:admin:notice:new-list", uri="x")
    actions.delete_domain(ant.domain)
    assert not MailingList.objects.exists()
    assert not TemplateUri.objects.exists()


def test_only_what_differs_from_the_style_is_stored(ant):
    actions.change_settings(ant, {"advertised": False, "description": "", "accept_these_nonmembers": ["a@x.org"]})
    ant.refresh_from_db()
    assert ant.settings == {"advertised": False, "accept_these_nonmembers": ["a@x.org"]}
    assert ant.advertised is False
    actions.change_settings(ant, {"advertised": True, "accept_these_nonmembers": [], "archive_policy": "never"})
    ant.refresh_from_db()
    assert (ant.settings, ant.advertised, ant.archive_policy) == ({"archive_policy": "never"}, True, "never")
    assert list(accept_these_nonmembers.of(ant)) == []


def test_durations_are_seconds_here(ant):
    actions.change_settings(ant, {"bounce_info_stale_after": 3600.0})
    ant.refresh_from_db()
    assert bounce_info_stale_after.of(ant) == 3600.0


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"fancy": 1}, "Unknown attribute: fancy"),
        ({"list_name": "bee"}, "Read-only attribute: list_name"),
        ({"description": "x", "archive_policy": "open"}, 'Invalid Parameter "archive_policy": Accepted Values are'),
        ({"advertised": False, "info": "x" * 1_000_001}, '"info": at most 1000000'),
    ],
)
def test_one_wrong_setting_and_none_is_changed(ant, values, why):
    with pytest.raises(BadInput, match=why):
        actions.change_settings(ant, values)
    ant.refresh_from_db()
    assert ant.settings == {}


def test_settings_of_a_list_that_was_deleted_meanwhile(ant):
    gone = MailingList.objects.get()
    actions.delete_list(ant)
    with pytest.raises(NotFound):
        actions.change_settings(gone, {"emergency": True})


def test_archivers_are_on_until_switched_off(ant):
    assert switches(ant) == {"mail-archive": True, "mhonarc": True, "prototype": True}
    actions.set_archivers(ant, {"prototype": False})
    assert switches(ant) == {"mail-archive": True, "mhonarc": True, "prototype": False}
    with pytest.raises(BadInput, match="Unknown archiver"):
        actions.set_archivers(ant, {"pigeon": True})


def order(mailing_list):
    return [(m.position, m.header) for m in queries.header_matches(mailing_list)]


def test_header_checks_stay_dense_when_they_move_and_go(ant):
    matches = [actions.add_header_match(ant, f"X-{name}", "^yes") for name in "abcd"]
    actions.change_header_match(matches[3], position=0)
    assert order(ant) == [(0, "x-d"), (1, "x-a"), (2, "x-b"), (3, "x-c")]
    actions.change_header_match(matches[0], position=3)
    assert order(ant) == [(0, "x-d"), (1, "x-b"), (2, "x-c"), (3, "x-a")]
    actions.remove_header_match(matches[1])
    assert order(ant) == [(0, "x-d"), (1, "x-c"), (2, "x-a")]
    for position in (-1, 3):
        with pytest.raises(BadInput, match="outside"):
            actions.change_header_match(matches[0], position=position)
    actions.clear_header_matches(ant)
    assert order(ant) == []


def test_a_header_check_keeps_what_is_not_changed(ant):
    match = actions.add_header_match(ant, "X-Spam", "^yes", "discard", "Spam")
    actions.change_header_match(match, pattern="^very")
    match.refresh_from_db()
    assert (match.header, match.pattern, match.action, match.tag) == ("x-spam", "^very", "discard", "Spam")
    actions.change_header_match(match, action="")
    assert match.action is None


@pytest.mark.parametrize(
    ("header", "pattern", "action"),
    [
        ("X Spam", "a", None),
        ("", "a", None),
        ("x:", "a", None),
        ("x", "(", None),
        ("x", "(a+)+$", None),
        ("x", "a", "eat"),
        ("X-Old", "old", None),
    ],
)
def test_a_header_check_that_cannot_be_is_refused(ant, header, pattern, action):
    actions.add_header_match(ant, "x-old", "old")
    with pytest.raises(BadInput):
        actions.add_header_match(ant, header, pattern, action)
    assert len(order(ant)) == 1


@pytest.mark.django_db(transaction=True)
def test_every_post_gets_its_own_number(ant):
    numbers = []

    def post():
        numbers.extend(actions.count_post(ant) for _ in range(10))
        connection.close()

    threads = [threading.Thread(target=post) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 31))
    ant.refresh_from_db()
    assert ant.post_id == 31
    assert ant.last_post_at is not None


@pytest.mark.django_db(transaction=True)
def test_two_who_change_settings_at_once_both_succeed(ant):
    barrier = threading.Barrier(2)

    def change(values):
        mine = MailingList.objects.get(pk=ant.pk)
        barrier.wait()
        actions.change_settings(mine, values)
        connection.close()

    threads = [threading.Thread(target=change, args=(v,)) for v in ({"emergency": True}, {"info": "About"})]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ant.refresh_from_db()
    assert ant.settings == {"emergency": True, "info": "About"}


def test_held_posts_are_numbered_and_digests_noted(ant):
    assert [actions.take_request_id(ant), actions.take_request_id(ant)] == [1, 2]
    now = timezone.now()
    actions.set_digest_count(ant, volume=2, number=1, sent_at=now)
    actions.set_usenet_watermark(ant, 77)
    ant.refresh_from_db()
    assert (ant.volume, ant.next_digest_number, ant.digest_last_sent_at, ant.usenet_watermark) == (2, 1, now, 77)


def test_a_list_is_found_by_id_address_or_alias(ant):
    actions.change_domain(ant.domain, alias_domain="ants.example")
    for name in ("ant.example.com", "ANT@example.COM", "ant@ants.example"):
        assert queries.find_list(name) == ant
    assert queries.find_list("bee.example.com") is None
    assert queries.list_by_address("Ant", "Example.com") == ant
    assert list(queries.lists_of_domain(ant.domain)) == [ant]
    actions.change_settings(ant, {"advertised": False})
    assert not queries.lists_of_domain(ant.domain, advertised_only=True).exists()
