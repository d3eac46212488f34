"""What we sign holds for others: vectors of the RFCs, dkimpy's opinion on signatures, and on canonical forms of anything."""

import base64
import time

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from dkim.canonicalization import Relaxed, Simple
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.authentication.canonical import relaxed_body, relaxed_field, settled, simple_body
from postroad.foundation.authentication.keys import new_key, private_key, public_key, record_of
from postroad.foundation.authentication.signing import COVERED, BodyHash, Signer
from postroad.foundation.authentication.verifying import Mail, tags_of, verifies
from postroad.foundation.message.segments import Slot, Template, parted
from tests.effort import ends_within

pytestmark = pytest.mark.sqlite_only

KEYS = {
    algorithm: private_key("example.com", f"2026-{algorithm}", new_key(algorithm)) for algorithm in ("rsa", "ed25519")
}
RECORDS = {f"{key.selector}._domainkey.example.com.".encode(): record_of(key).encode() for key in KEYS.values()}

POST = Template([
    b"From: Anne <anne@example.org>\r\nTo: ants@example.com\r\nSubject:  Re: a   folded\r\n\tsubject \r\n"
    b"Date: Thu, 26 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n"
    b"Received: from a\r\nReceived: from b\r\nList-Id: <ants.example.com>\r\nList-Unsubscribe: <https://example.com/",
    Slot("token", "header"),
    b">,\r\n <mailto:ants-leave@example.com>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
    Slot("copy_header", "8bit"),
    b"\r\nHello  there, \t \r\n\r\n",
    Slot("name", "8bit"),
    b"\r\nis   leaving.\r\n\r\n\r\n",
])  # fmt: skip
VALUES = {"token": "abc", "copy_header": "X-Mailman-Copy: yes\r\n", "name": "Bea  B\n\n\n"}


def dns(name, timeout=5):
    return RECORDS.get(name, b"")


def signed(template=POST, values=VALUES, keys=None):
    return Signer(template, keys or tuple(KEYS.values()), time.time()).fields(values) + template.render(values)


def judged(raw):
    """dkimpy's opinion of each signature."""
    checker = dkim.DKIM(raw)
    number = sum(name.lower() == b"dkim-signature" for name, _ in checker.headers)
    return [_holds(raw, index) for index in range(number)]


def _holds(raw, index):
    try:
        return bool(dkim.DKIM(raw).verify(idx=index, dnsfunc=dns))
    except dkim.ValidationError:
        return False


def test_another_program_accepts_both_signatures_of_a_copy():
    assert judged(signed()) == [True, True]
    assert judged(signed(values={**VALUES, "token": "x" * 200, "name": "Ünal", "copy_header": ""})) == [True, True]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"token", b"tokem"), (b"leaving", b"living"), (b"Subject: ", b"Subject: x"), (b"One-Click", b"Two-Click"),
        (b"From: Anne", b"From: Boss <b@example.net>\r\nFrom: Anne"), (b"To: ", b"List-Id: <x>\r\nTo: "),
        (b"To: ", b"Reply-To: me@example.net\r\nTo: "), (b"\r\n\r\n", b"\r\nSubject: buy\r\n\r\n"),
    ],
)  # fmt: skip
def test_a_change_of_what_matters_breaks_both(old, new):
    """Nothing that a reader acts on can be changed or added: From, Subject, where answers and unsubscriptions go."""
    raw = signed(values={**VALUES, "token": "token"})
    head, body = raw.split(b"From: Anne", 1)
    changed = head + (b"From: Anne" + body).replace(old, new, 1)
    assert changed != raw
    assert not any(judged(changed))


def test_a_relay_may_add_what_it_adds():
    """Received and Return-Path on top, a Date where there was none."""
    without_date = Template([b"From: a@example.com\r\nSubject: x\r\n\r\nhello\r\n"])
    raw = signed(without_date, {}).replace(b"Subject: x\r\n", b"Subject: x\r\nDate: today\r\n")
    assert judged(b"Received: from us\r\nReturn-Path: <x@example.com>\r\n" + raw) == [True, True]


def test_the_unsubscribe_fields_are_covered():
    """RFC 8058 §4: both must be in the signature's h=."""
    names = tags_of(signed().partition(b"\r\nDKIM-Signature")[0])["h"].split(b":")
    assert {b"list-unsubscribe", b"list-unsubscribe-post", b"list-id", b"from"} <= set(names)
    assert names.count(b"from") == 2
    assert b"received" not in names


def test_no_line_of_a_signature_is_long():
    assert max(len(line) for line in signed().split(b"\r\n")) < 100


def test_what_we_sign_we_accept(monkeypatch):
    from postroad.foundation.authentication import verifying
    from postroad.foundation.authentication.dns import Reply

    monkeypatch.setattr(verifying, "lookup", lambda name: Reply((RECORDS[f"{name}.".encode()].decode(),)))
    mail = Mail.of(signed())
    fields = [field for field in mail.headers if field.name == "DKIM-Signature"]
    assert [verifies(mail, field) for field in fields] == [True, True]


def test_the_signature_of_rfc_8463_holds(name_server):
    """RFC 8463 appendix A: the same mail signed with Ed25519 and RSA; both are accepted, with the keys it gives."""
    name_server.zone["brisbane._domainkey.football.example.com"] = {
        "TXT": ["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]
    }
    name_server.zone["test._domainkey.football.example.com"] = {"TXT": [
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16"
        "JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4"
        "w3QIDAQAB"
    ]}  # fmt: skip
    mail = Mail.of(RFC_8463.replace(b"\n", b"\r\n"))
    fields = [field for field in mail.headers if field.name == "DKIM-Signature"]
    assert [verifies(mail, field) for field in fields] == [True, True]
    changed = Mail.of(mail.raw.replace(b"hungry", b"thirsty"))
    assert not any(verifies(changed, field) for field in changed.headers if field.name == "DKIM-Signature")


RFC_8463 = b"""\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""


def test_the_canonical_forms_of_rfc_6376():
    """§3.4.5: the examples of the text."""
    assert relaxed_field(b"A: X\r\n") == b"a:X\r\n"
    assert relaxed_field(b"B : Y\t\r\n\tZ  \r\n") == b"b:Y Z\r\n"
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
    assert simple_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C \r\nD \t E\r\n"
    assert relaxed_body(b"") == b""
    assert simple_body(b"") == b"\r\n"


def test_a_body_of_white_space_takes_no_long_time():
    """A megabyte of spaces costs milliseconds, not hours."""
    body = b" \t" * 1_000_000 + b"x\r\n" + b"\r\n" * 100_000
    assert ends_within(1, lambda: relaxed_body(body))


LINES = st.lists(
    st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"=", b"\xc3\xa4", b".", b"  ", b"\r\n\r\n"]), max_size=40
)


@given(LINES)
def test_bodies_have_the_canonical_forms_another_program_gives_them(pieces):
    body = b"".join(pieces) + b"\r\n"
    assert relaxed_body(body) == Relaxed.canonicalize_body(body)
    assert simple_body(body) == Simple.canonicalize_body(body)


@given(st.lists(st.sampled_from([b" ", b"\t", b"\r\n ", b"a", b":", b"\xc3\xa4", b"\r\n\t"]), max_size=30))
def test_fields_have_the_canonical_form_another_program_gives_them(pieces):
    value = b"".join(pieces) + b"\r\n"
    ((name, canonical),) = Relaxed.canonicalize_headers([(b"Sub-Ject ", value)])
    assert relaxed_field(b"Sub-Ject :" + value) == name + b":" + canonical


@given(LINES, LINES)
def test_the_settled_beginning_of_a_body_stays_whatever_follows(before, after):
    first, rest = b"".join(before), b"".join(after)
    end = settled(first)
    assert relaxed_body(first[:end]) + relaxed_body(first[end:] + rest) == relaxed_body(first + rest)


@given(LINES, LINES, st.text(max_size=20), st.text(max_size=20))
def test_any_copy_verifies(before, after, token, name):
    """Slots at any place, any values, white space and empty lines all around: dkimpy accepts the copy."""
    template = Template([
        b"From: a@example.com\r\nList-Unsubscribe: <", Slot("token", "header"), b">\r\nTo: b@example.com\r\n\r\n",
        *before, Slot("name", "8bit"), *after, b"\r\n",
    ])  # fmt: skip
    values = {"token": token.encode("utf-8", "replace").decode(), "name": name}
    key = KEYS["ed25519"]
    raw = Signer(template, [key], time.time()).fields(values) + template.render(values)
    if b"\r" in raw.replace(b"\r\n", b""):
        return
    assert judged(raw) == [True], raw


def test_a_body_without_personal_text_is_hashed_once():
    plain = Template([b"From: a@example.com\r\nTo: ", Slot("to", "header"), b"\r\n\r\nhello\r\n"])
    assert BodyHash(parted(plain)[1]).is_shared
    assert not BodyHash(parted(POST)[1]).is_shared


def test_a_record_gives_the_key_again():
    for key in KEYS.values():
        found = public_key(record_of(key))
        assert found is not None
        assert found.algorithm == key.algorithm
        assert found.verifies(key.sign(b"x" * 32), b"x" * 32)
        assert not found.verifies(key.sign(b"x" * 32), b"y" * 32)


@pytest.mark.parametrize(
    "record",
    [
        "", "v=DKIM1; p=", "v=DKIM2; p=AAAA", "v=DKIM1; k=ed25519; p=AAAA", "v=DKIM1; p=!!", "v=DKIM1; s=other; p=AAAA",
        "v=DKIM1; k=dsa; p=AAAA", "p=" + "A" * 5000,
    ],
)  # fmt: skip
def test_a_broken_record_is_no_key(record):
    assert public_key(record) is None


def test_a_short_rsa_key_proves_nothing():
    """RFC 8301 §3.2: below 1024 bits anybody can sign."""
    short = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ=="
    assert serialization.load_der_public_key(base64.b64decode(short)).key_size == 512
    assert public_key(f"v=DKIM1; p={short}") is None


@given(st.binary(max_size=300))
def test_any_signature_field_can_be_read(junk):
    tags_of(b"DKIM-Signature: " + junk)
    public_key(junk.decode("latin-1"))


def test_every_covered_field_has_a_lower_case_name():
    assert all(name == name.lower() for name in COVERED)
