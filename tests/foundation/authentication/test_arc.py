"""Chains of seals: dkimpy accepts ours, we accept dkimpy's, and a broken one is known (RFC 8617)."""

import base64
import time

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.authentication.arc import results_of, sets_of, status_of
from postroad.foundation.authentication.keys import new_key, private_key, record_of
from postroad.foundation.authentication.signing import Sealer
from postroad.foundation.authentication.verifying import Mail
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.segments import Slot, Template

pytestmark = pytest.mark.sqlite_only

KEY = private_key("lists.example", "s1", new_key("rsa"))
PEM = KEY.key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
POST = (
    b"From: Anne <anne@example.org>\r\nTo: dogs@lists.example\r\nSubject: hello\r\nDate: today\r\n"
    b"Message-ID: <1@example.org>\r\n\r\nhello\r\n"
)


@pytest.fixture(autouse=True)
def zone(name_server):
    name_server.zone["s1._domainkey.lists.example"] = {"TXT": [record_of(KEY)]}
    return name_server.zone


def dns(name, timeout=5):
    return record_of(KEY).encode()


def theirs(raw, cv=""):
    """The mail with a set by dkimpy on top, after it was received and judged."""
    results = b"Authentication-Results: mx.example; spf=pass smtp.mailfrom=anne@example.org"
    results += f"; arc={cv}".encode() if cv else b""
    lines = dkim.arc_sign(results + b"\r\n" + raw, b"s1", b"lists.example", PEM, b"mx.example", timestamp=1700000000)
    return b"".join(lines) + raw


def ours(raw, status, results="dkim=pass header.d=example.org", **values):
    template = raw if isinstance(raw, Template) else Template([raw])
    return Sealer(template, KEY, status, results, time.time()).fields(values) + template.render(values)


def status(raw):
    return status_of(Mail.of(raw))


def judged(raw):
    return dkim.arc_verify(raw, dnsfunc=dns)[0]


def test_another_program_accepts_the_first_seal():
    sealed = ours(POST, "none")
    assert judged(sealed) == dkim.CV_Pass
    assert status(sealed) == "pass"
    assert b"ARC-Authentication-Results: i=1; lists.example;\r\n\tdkim=pass header.d=example.org\r\n" in sealed


def test_chains_grow_in_turn():
    """Ours on theirs, theirs on ours, ours again: every step is accepted by both."""
    raw = POST
    for number in range(1, 5):
        before = "none" if number == 1 else "pass"
        raw = ours(raw, status(raw)) if number % 2 else theirs(raw, before)
        assert judged(raw) == dkim.CV_Pass, number
        assert status(raw) == "pass"
    assert len(sets_of([(f.name, f.raw) for f in Headers.parse(raw)])) == 4


def test_a_changed_mail_breaks_the_chain_and_is_sealed_as_broken_once():
    """§5.1.2: the next seal says fail and covers itself alone; after it nobody seals."""
    broken = theirs(POST).replace(b"hello\r\n", b"buy\r\n")
    assert status(broken) == "fail" == judged(broken).decode()
    sealed = ours(broken, "fail")
    assert b"cv=fail" in sealed
    assert dkim.arc_verify(sealed, dnsfunc=dns)[0] is None, "dkimpy: the seal is valid and ends the chain"
    assert status(sealed) == "fail"
    assert ours(sealed, "fail") == sealed


def test_the_list_may_change_the_mail_between():
    """That is what ARC is for: the chain was whole on arrival, the new message signature covers the changed mail."""
    arrived = theirs(POST)
    changed = arrived.replace(b"Subject: hello", b"Subject: [dogs] hello")
    assert judged(ours(changed, status(arrived))) == dkim.CV_Pass


def test_copies_with_personal_text_are_sealed_each():
    header = POST.partition(b"\r\n\r\n")[0] + b"\r\nList-Unsubscribe: <"
    template = Template([header, Slot("url", "header"), b">\r\n\r\nto ", Slot("name"), b"\r\n"])
    for name in ("Anne", "Ünal  "):
        assert judged(ours(template, "none", url="x" * 90, name=name)) == dkim.CV_Pass


def test_a_chain_that_lost_its_fields_is_not_lengthened():
    """An anonymous list or a wrapper took the old sets away: a seal would claim a chain that is not there."""
    assert ours(POST, "pass") == POST
    assert ours(theirs(POST), "none") == theirs(POST)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw.replace(b"ARC-Seal: i=1", b"ARC-Seal: i=2"),
        lambda raw: raw.replace(b"ARC-Authentication-Results", b"X-Results"),
        lambda raw: raw[: raw.index(b"From:")] + raw,
        lambda raw: raw.replace(b"cv=none", b"cv=pass"),
        lambda raw: raw.replace(b"spf=pass", b"spf=fail"),
        lambda raw: raw.replace(b"Subject: hello", b"Subject: sell"),
        lambda raw: raw.replace(b"; s=s1", b"; s=s2"),
    ],
)
def test_damage_is_seen(damage):
    raw = theirs(POST)
    assert damage(raw) != raw
    assert status(damage(raw)) == "fail"


def test_results_are_those_of_the_trusted_mta_or_our_own(zone):
    """What a mail brings with it under another name is not believed."""
    raw = b"Authentication-Results: mx.example; spf=pass smtp.mailfrom=anne@example.org; dkim=none\r\n" + POST
    assert results_of(Mail.of(raw), ["mx.example"]) == "spf=pass smtp.mailfrom=anne@example.org; dkim=none"
    assert results_of(Mail.of(raw), ["other.example"]) == "dkim=none"
    signed = dkim.sign(POST, b"s1", b"lists.example", PEM) + POST
    assert results_of(Mail.of(signed), []) == "dkim=pass header.d=lists.example"
    assert results_of(Mail.of(signed.replace(b"hello", b"x")), []) == "dkim=fail header.d=lists.example"


def test_results_bring_no_field_of_their_own():
    raw = b'Authentication-Results: mx.example; spf=pass smtp.mailfrom="a\\;b\\"c"; x=\xff\r\n' + POST
    found = results_of(Mail.of(raw), ["mx.example"])
    assert judged(ours(POST, "none", found)) == dkim.CV_Pass
    assert base64.b64encode(found.encode())


@given(st.lists(st.sampled_from([
    b"ARC-Seal: i=1; cv=none; b=\r\n", b"ARC-Seal: i=x\r\n", b"ARC-Message-Signature: i=1; h=from; d=x\r\n",
    b"ARC-Authentication-Results: i=1; x\r\n", b"ARC-Authentication-Results: i=2;;;=\r\n", b"ARC-Seal: \xff\r\n",
]), max_size=8))  # fmt: skip
def test_any_chain_can_be_read(fields):
    raw = b"".join(fields) + POST
    assert status(raw) in ("none", "fail")
    ours(raw, "fail")
