"""What recipient addresses mean, by the table of Mailman's sub-addresses."""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from postroad.community.lists import actions
from postroad.community.lists.addresses import is_mail_host, resolve
from tests.effort import ends_within

pytestmark = pytest.mark.django_db


@pytest.fixture
def ant():
    actions.create_domain("example.com", alias_domain="old.example")
    return actions.create_list("ant@example.com")


@pytest.mark.parametrize("host", ["bücher.example", "xn--bcher-kva.example"])
@pytest.mark.parametrize(
    "domain", ["bücher.example", "xn--bcher-kva.example", "BÜCHER.example", "XN--bcher-KVA.example"]
)
def test_a_domain_is_the_same_in_both_of_its_forms(host, domain):
    """RFC 5891 §4.4: A-labels and U-labels name the same domain, however the list's own was written."""
    actions.create_domain(host, alias_domain="xn--bcher-kva.test")
    made = actions.create_list(f"ant@{host}")
    for recipient in (f"ant@{domain}", "ant-owner@bücher.test"):
        found = resolve(recipient)
        assert found is not None
        assert found.mailing_list_pk == made.pk
    assert is_mail_host(domain)


@pytest.mark.parametrize("domain", ["xn--.example", "xn--a\u00fc.example", "a..b", "\u2024.example", "xn--99999999"])
def test_a_domain_that_is_none_is_no_lists(domain, ant):
    assert resolve(f"ant@{domain}") is None


@pytest.mark.parametrize(
    ("recipient", "kind", "extra"),
    [
        ("ant@example.com", "posting", ""),
        ("ANT@EXAMPLE.COM", "posting", ""),
        ("ant+tag@example.com", "posting", "tag"),
        ("ant@old.example", "posting", ""),
        ("ant-bounces@example.com", "bounces", ""),
        ("ant-bounces+Anne=their.dom=0a1b@example.com", "bounces", "Anne=their.dom=0a1b"),
        ("ant-bounces+anne+x=their.dom@example.com", "bounces", "anne+x=their.dom"),
        ("ant-confirm@example.com", "confirm", ""),
        ("ant-confirm+0123456789abcdef@example.com", "confirm", "0123456789abcdef"),
        ("ant-join@example.com", "join", ""),
        ("ant-subscribe@example.com", "join", ""),
        ("ant-leave@example.com", "leave", ""),
        ("Ant-Unsubscribe@example.com", "leave", ""),
        ("ant-owner@old.example", "owner", ""),
        ("ant-request@example.com", "request", ""),
    ],
)
def test_each_part_of_a_list_has_its_kind(ant, recipient, kind, extra):
    assert resolve(recipient) == (ant.pk, "ant.example.com", kind, extra)


@pytest.mark.parametrize(
    "recipient",
    [
        "", "ant", "@example.com", "bee@example.com", "ant-admin@example.com", "ant@example.org", "noreply@example.com",
        "-owner@example.com", "ant-owner-owner@example.com", "ant@example.com@example.com", "ant\0@example.com",
    ],
)  # fmt: skip
def test_what_is_no_lists_address_is_nothing(ant, recipient):
    assert resolve(recipient) is None


def test_a_list_called_like_a_part_goes_before_the_part(ant):
    other = actions.create_list("ant-owner@example.com")
    assert resolve("ant-owner@example.com") == (other.pk, "ant-owner.example.com", "posting", "")
    assert resolve("ant-owner-owner@example.com").kind == "owner"


def test_a_domain_goes_before_another_ones_alias(ant):
    actions.create_domain("old.example")
    other = actions.create_list("ant@old.example")
    assert resolve("ant@old.example").mailing_list_pk == other.pk


def test_an_address_costs_one_query_and_little_time(ant, django_assert_num_queries):
    with django_assert_num_queries(1):
        resolve("ant-bounces+anne=their.dom@example.com")
    connection.force_debug_cursor = False
    assert ends_within(0.05, lambda: [resolve("ant-bounces+anne=their.dom@example.com") for _ in range(200)])


@given(st.text(max_size=60))
def test_no_recipient_makes_it_fail(ant, text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    found = resolve(text + "@example.com")
    assert found is None or found.list_id == "ant.example.com"
