"""Addresses out of headers that may say anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.message.addresses import (
    domain_to_ascii,
    format_address,
    identity,
    is_valid_email,
    needs_smtputf8,
    parse_addresses,
    spellings,
    with_ascii_domain,
)

pytestmark = pytest.mark.sqlite_only


def read(*values):
    return [(a.display_name, a.email) for a in parse_addresses(values)]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("anne@example.com", [("", "anne@example.com")]),
        (
            "Anne Person <anne@example.com>, bart@example.com",
            [("Anne Person", "anne@example.com"), ("", "bart@example.com")],
        ),
        ('"Person, Anne" <anne@example.com>', [("Person, Anne", "anne@example.com")]),
        ("anne@example.com (Anne (nested) P)", [("Anne (nested) P", "anne@example.com")]),
        ("=?utf-8?q?Zo=C3=AB?= <zoe@example.com>", [("Zoë", "zoe@example.com")]),
        ('"john doe"@example.com', [("", '"john doe"@example.com')]),
        ("<@relay.example:anne@example.com>", [("", "anne@example.com")]),
        (
            "Friends: anne@example.com, Bart <bart@example.com>;",
            [("", "anne@example.com"), ("Bart", "bart@example.com")],
        ),
        ("undisclosed-recipients:;", []),
        ("用户@例子.广告", [("", "用户@例子.广告")]),
        ("mañana@example.com", [("", "mañana@example.com")]),
        ("alice@example.org)bob@example.net", []),
        ("a@example.com b@example.com", []),
        ("Anne <a@example.com> <b@example.com>", []),
        ('"a@evil.example" <b@example.com>', [("a@evil.example", "b@example.com")]),
        ('"unclosed <a@example.com>', []),
        ("a@@example.com, @, <>, a@, @b", []),
        ("Anne\u2028 <anne@example.com.>", [("Anne", "anne@example.com")]),
    ],
)
def test_mailboxes_are_found_and_the_rest_left_out(value, found):
    assert read(value) == found


def test_eight_from_fields_are_eight_senders():
    assert len(read(*[f"u{n}@example.com" for n in range(8)])) == 8


@pytest.mark.parametrize(
    "name", ["Anne", "Person, Anne", "Zoë", 'a"b\\c', "=?utf-8?q?x?=", "a\r\nBcc: evil@example.com"]
)
def test_a_written_mailbox_is_read_back(name):
    written = format_address(name, "anne@example.com")
    assert "\n" not in written
    assert "\r" not in written
    assert read(written) == [(" ".join(name.split()), "anne@example.com")]


@pytest.mark.parametrize("email", ["anne@example.com", "o'hara+x@sub.example.com", "用户@例子.广告", "a@b.c"])
def test_who_may_subscribe(email):
    assert is_valid_email(email)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "anne",
        "anne@",
        "@example.com",
        "a b@example.com",
        "a@b",
        "a@.com",
        "a@b..c",
        "x" * 251 + "@b.c",
        "a\n@b.c",
        "a<@b.c",
        "a@-b.c",
    ],
)
def test_who_may_not(email):
    assert not is_valid_email(email)


def test_domains_and_local_parts_of_other_scripts():
    assert domain_to_ascii("Bücher.example") == "xn--bcher-kva.example"
    assert domain_to_ascii("EXAMPLE.com") == "example.com"
    assert (needs_smtputf8("用户@example.com"), needs_smtputf8("a@例子.广告")) == (True, False)
    with pytest.raises(ValueError, match="no domain"):
        domain_to_ascii("\u2028.example")


@given(
    st.text(max_size=300)
    | st.lists(
        st.sampled_from(['"', "\\", "(", ")", "<", ">", "@", ",", ";", ":", " ", "a", "=?utf-8?q?", "?=", "é", "."])
    ).map("".join)
)
def test_no_header_makes_it_fail(text):
    for address in parse_addresses([text]):
        assert "@" not in address.domain
        assert not set(address.email) & set("<>\r\n,")
        assert "\n" not in address.display_name
        is_valid_email(address.email)
        assert "\n" not in format_address(address.display_name, address.email)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("user@münchen.example", "user@xn--mnchen-3ya.example"),
        ("User@MÜNCHEN.Example", "user@XN--MNCHEN-3YA.EXAMPLE"),
        ("user@mu\u0308nchen.example", "user@münchen.example"),
        ("user@straße.example", "user@xn--strae-oqa.example"),
        ("zoë@example.org", "zoe\u0308@example.org"),
        ("user@例え。テスト", "user@xn--r8jz45g.xn--zckzah"),
    ],
)
def test_two_spellings_of_one_mailbox_have_one_identity(one, other):
    assert identity(one) == identity(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("user@straße.example", "user@strasse.example"),  # IDNA 2008 tells them apart (RFC 5894 §7.2).
        ("user@münchen.example", "user@munchen.example"),
        ("user@xn--.example", "user@.example"),
        ("user@☃.example", "user@xn--n3h.example"),  # No label of IDNA 2008 (RFC 5892): each stays as it is.
    ],
)
def test_what_is_not_the_same_mailbox_has_another_identity(one, other):
    assert identity(one) != identity(other)


@given(
    st.text(max_size=20),
    st.text(max_size=20)
    | st.from_regex(r"(xn--[a-z0-9-]{1,12}|[a-zäöüß\u0300-\u036f]{1,8})(\.[a-z]{2,3})?", fullmatch=True),
)
def test_an_identity_is_its_own_and_that_of_each_spelling(local, domain):
    known_as = identity(f"{local}@{domain}")
    assert all(identity(text) == known_as for text in (known_as, *spellings(known_as), with_ascii_domain(known_as)))
