"""Personal copies: built once, spliced for each recipient, and never a line break where none may be."""

import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.message.segments import Slot, Template, decode, encode

pytestmark = pytest.mark.sqlite_only

PARTS = st.lists(
    st.binary(max_size=8) | st.builds(Slot, st.sampled_from(["a", "b"]), st.sampled_from(["header", "8bit", "qp"]))
)


def test_a_copy_is_the_pieces_with_the_values_between():
    template = Template([b"To: ", Slot("to", "header"), b"\r\n", b"\r\nhello ", Slot("name")])
    assert template.slots == {"to", "name"}
    assert (
        template.render({"to": "anne@example.org", "name": "Änne"}) == "To: anne@example.org\r\n\r\nhello Änne".encode()
    )
    assert len(template.parts) == 4, "bytes that lie side by side are one piece"


def test_a_mail_without_slots_is_not_copied():
    raw = b"x" * 1000
    assert Template([raw]).render({}) is raw
    assert Template([]).render({}) == b""


@given(st.text())
def test_a_value_in_a_header_brings_no_line_of_its_own(value):
    said = Template([b"X: ", Slot("v", "header"), b"\r\n"]).render({"v": value})
    assert said.count(b"\n") == said.count(b"\r") == 1
    assert b"\0" not in said


@given(st.text())
def test_a_value_in_text_has_crlf_lines(value):
    said = Template([Slot("v")]).render({"v": value})
    assert said.replace(b"\r\n", b"").count(b"\r") == said.replace(b"\r\n", b"").count(b"\n") == 0


@given(st.text(max_size=300))
def test_a_value_in_quoted_printable_text_is_read_back_as_it_was_and_its_lines_are_short(value):
    said = Template([Slot("v", "qp")]).render({"v": value})
    lines = value.encode("utf-8", "replace").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert quopri.decodestring(said.replace(b"\r\n", b"\n")) == lines
    assert all(len(line) <= 76 for line in said.split(b"\r\n"))


@given(PARTS)
def test_what_is_stored_is_what_comes_back(parts):
    template = Template(parts)
    assert decode(encode(template)) == template
    assert hash(decode(encode(template))) == hash(template)
