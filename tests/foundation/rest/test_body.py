"""Bodies of REST requests: forms and JSON read alike, wrong fields told all at once."""

import contextlib

import pytest
from django.http import QueryDict
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.errors import BadInput
from postroad.foundation.rest import body, fields

pytestmark = pytest.mark.sqlite_only

FORM = "application/x-www-form-urlencoded"


def request(data, method="POST", kind=FORM, query=""):
    return RequestFactory().generic(method, f"/3.1/lists{query}", data, content_type=kind)


def test_a_form_and_a_json_object_say_the_same():
    form = body.given(request("fqdn_listname=ant@example.com&owner=a&owner=b"))
    json = body.given(
        request('{"fqdn_listname": "ant@example.com", "owner": ["a", "b"]}', kind="application/json; charset=utf-8")
    )
    assert form == json == {"fqdn_listname": "ant@example.com", "owner": ["a", "b"]}


def test_the_query_and_the_form_are_read_together():
    """What stands in both, as with a client of Postorius's, is the form's."""
    assert body.given(request("b=2&c=3", method="PATCH", query="?a=1&c=4")) == {"a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize("text", ["{", "[1]", '"x"', "\xff", "{}{}"])
def test_json_that_is_no_object_is_refused(text):
    with pytest.raises(BadInput, match="Invalid JSON"):
        body.given(request(text.encode("latin-1"), kind="application/json"))


@pytest.mark.parametrize("text", ['{"a": 1, "b": 2, "a": 3}', '{"b": [{"a": 1, "a": 1}]}'])
def test_a_field_twice_in_json_is_a_mistake_as_in_a_form(text):
    with pytest.raises(BadInput, match="a is given more than once"):
        body.given(request(text, kind="application/json"))


@pytest.mark.parametrize(("data", "query"), [(b"name=%ff", ""), (b"name=\xff", ""), (b"", "?name=%C3%28")])
def test_what_is_not_utf_8_is_refused(data, query):
    with pytest.raises(BadInput, match="UTF-8"):
        body.given(request(data, query=query))


def test_unknown_wrong_and_missing_fields_are_told_by_name():
    required, optional = {"name": fields.text}, {"count": fields.integer, "on": fields.boolean}
    with pytest.raises(BadInput, match="Unexpected parameters: y, z"):
        body.check({"name": "x", "z": 1, "y": 1}, required, optional)
    with pytest.raises(BadInput) as wrong:
        body.check({"name": "x", "count": "many", "on": "maybe"}, required, optional)
    assert 'Invalid Parameter "count"' in str(wrong.value)
    assert 'Invalid Parameter "on"' in str(wrong.value)
    with pytest.raises(BadInput, match="Missing Parameter: name"):
        body.check({"count": "1"}, required, optional)
    assert body.check({"name": "x", "count": "1"}, required, optional) == {"name": "x", "count": 1}


@pytest.mark.parametrize(
    ("converter", "value", "result"),
    [
        (fields.boolean, "Yes", True), (fields.boolean, "0", False), (fields.boolean, False, False),
        (fields.integer, "12", 12), (fields.lines, "", []), (fields.lines, "a", ["a"]),
        (fields.lines, ["a", 1], ["a", "1"]), (fields.emails, "a@example.com", ["a@example.com"]),
        (fields.choice("hold", "discard"), "hold", "hold"), (fields.choice("hold", blank=True), "", None),
    ],
)  # fmt: skip
def test_values_are_understood_in_mailmans_spellings(converter, value, result):
    assert converter(value) == result


@pytest.mark.parametrize(
    ("converter", "value"),
    [
        (fields.boolean, "maybe"), (fields.integer, True), (fields.integer, "1.5"), (fields.email, "nobody"), (fields.email, 7),
        (fields.text, ["a", "b"]), (fields.text, None), (fields.text, {}), (fields.text, "a\0b"), (fields.text, "\ud800"),
        (fields.line, "a\nBcc: b"), (fields.line, "a\rb"), (fields.line, "a" * 256), (fields.integer, "9" * 20),
        (fields.boolean, 2), (fields.email, "a@example.com\nb"), (fields.url_or_null, "javascript:alert(1)"),
        (fields.subscriber, "no one"), (fields.choice("hold"), "keep"), (fields.choice("hold"), ["hold"]),
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(converter, value):
    with pytest.raises((ValueError, BadInput)):
        converter(value)


@given(st.binary(max_size=200), st.sampled_from([FORM, "application/json", "multipart/form-data", "text/plain", ""]))
def test_any_body_is_read_or_refused(data, kind):
    with contextlib.suppress(BadInput):
        assert isinstance(body.given(request(data, method="PUT", kind=kind)), dict)


@given(st.text(max_size=50))
def test_a_form_gives_back_what_was_typed(text):
    query = QueryDict(mutable=True)
    query["name"] = text
    assert body.given(request(query.urlencode())) == {"name": text}
