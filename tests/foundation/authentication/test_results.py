"""Authentication-Results are read as RFC 8601 writes them, and trusted only from the MTA that is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.authentication.results import parse_results, trusted_results

pytestmark = pytest.mark.sqlite_only

EXAMPLE = (
    "mx.Example.com 1; dkim=pass (good (really) key) header.d=example.org header.i=@example.org;"
    ' spf/1=fail reason="not; allowed" smtp.mailfrom=a@example.org; dmarc=pass header.from=example.org'
)


def test_results_and_their_properties_are_found():
    judge, results = parse_results(EXAMPLE)
    assert judge == "mx.example.com"
    assert [(r.method, r.result) for r in results] == [("dkim", "pass"), ("spf", "fail"), ("dmarc", "pass")]
    assert results[0].properties == {"header.d": "example.org", "header.i": "@example.org"}
    assert results[1].properties["reason"] == "not; allowed"


def test_a_field_without_results_has_none():
    assert parse_results("mx.example.com; none") == ("mx.example.com", [])
    assert parse_results("") == ("", [])


def test_only_named_judges_are_trusted():
    assert trusted_results([EXAMPLE], ["mx.example.com"])
    assert not trusted_results([EXAMPLE], ["other.example.com"])
    assert not trusted_results([EXAMPLE], [])


def test_a_lower_field_cannot_change_what_the_topmost_says():
    own = "mx.example.com; dkim=fail header.d=example.org"
    forged = "mx.example.com; dkim=pass header.d=example.org"
    assert [r.result for r in trusted_results([own, forged], ["mx.example.com"])] == ["fail"]


@given(st.text())
def test_any_text_can_be_read(text):
    parse_results(text)
    parse_results("a; " + text)
