"""What recipient addresses mean, by the table of Mailman's sub-addresses."""

import time

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroad.community.lists import actions
from postroad.community.lists.addresses import resolve

pytestmark = pytest.mark.django_db


@pytest.fixture
def ant():
    actions.create_domain("example.com", alias_domain="old.example")
    return actions.create_list("ant@example.com")


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
    laps = []
    for _ in range(300):
        start = time.perf_counter()
        resolve("ant-bounces+anne=their.dom@example.com")
        laps.append(time.perf_counter() - start)
    limit = 200e-6 if connection.vendor == "sqlite" else 1000e-6
    assert sorted(laps)[30] < limit


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_no_recipient_makes_it_fail(ant, text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    found = resolve(text + "@example.com")
    assert found is None or found.list_id == "ant.example.com"
