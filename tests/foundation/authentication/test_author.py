"""Who vouches for the author: signatures that verify, or an MTA that is trusted."""

import base64
import dataclasses

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.authentication.author import is_authentic
from postroad.foundation.message.headers import Headers

pytestmark = pytest.mark.sqlite_only

MAIL = b"From: Anne <anne@example.org>\r\nTo: ant@example.com\r\nSubject: Hello\r\nDate: today\r\n\r\nHello.\r\n"


@pytest.fixture(scope="module")
def key():
    return generate_private_key(65537, 2048)


@pytest.fixture
def signed(key, name_server):
    """Sign a mail for a domain whose key is in DNS."""
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )

    def run(raw=MAIL, domain="example.org", **options):
        name_server.zone[f"s._domainkey.{domain}"] = {"TXT": [f"v=DKIM1; p={base64.b64encode(public).decode()}"]}
        return dkim.sign(raw, b"s", domain.encode(), private, **options) + raw

    return run


def authentic(raw):
    return is_authentic(raw, Headers.parse(raw))


def test_a_signature_of_the_authors_domain_vouches(signed):
    assert authentic(signed())
    assert not authentic(MAIL)


def test_a_signature_of_another_domain_does_not(signed):
    assert not authentic(signed(domain="example.net"))


def test_a_signature_of_the_organisation_vouches_for_its_subdomain(signed, name_server):
    raw = signed(MAIL.replace(b"@example.org", b"@lists.example.org"))
    assert not authentic(raw)
    from postroad.foundation.authentication.dns import forget

    forget()
    name_server.zone["_dmarc.example.org"] = {"TXT": ["v=DMARC1; p=none"]}
    assert authentic(raw)


def test_a_changed_mail_is_not_vouched_for(signed):
    assert not authentic(signed().replace(b"Hello.", b"Hallo."))


def test_a_second_from_is_not_vouched_for(signed):
    assert not authentic(b"From: boss@example.org\r\n" + signed())
    assert not authentic(signed(MAIL.replace(b"Anne <anne@example.org>", b"anne@example.org, boss@example.org")))


def test_a_signature_over_part_of_the_body_proves_nothing(signed):
    raw = signed(length=True)
    assert not authentic(raw)
    assert not authentic(raw + b"Buy!\r\n")


def test_without_an_answer_from_dns_nobody_vouches(signed, name_server):
    raw = signed()
    name_server.zone["s._domainkey.example.org"] = name_server.SILENT
    assert not authentic(raw)


RESULT = b"Authentication-Results: mx.example.com; "


@pytest.mark.parametrize(
    ("field", "believed"),
    [
        (b"dkim=pass header.d=example.org", True),
        (b"dkim=pass header.i=@example.org", True),
        (b"spf=pass smtp.mailfrom=bounces@example.org", True),
        (b"dmarc=pass header.from=example.org", True),
        (b"spf=pass smtp.helo=example.org", False),
        (b"dkim=fail header.d=example.org", False),
        (b"dkim=pass header.d=example.net", False),
        (b"auth=pass smtp.auth=anne@example.org", False),
    ],
)
def test_a_trusted_mta_vouches(settings, name_server, field, believed):
    raw = RESULT + field + b"\r\n" + MAIL
    assert not authentic(raw)
    mail = dataclasses.replace(settings.POSTROAD.mail, trusted_authserv_ids=("mx.example.com",))
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, mail=mail)
    assert authentic(raw) is believed


@given(st.binary(max_size=200), st.text(max_size=40))
def test_any_signature_can_be_read(name_server, junk, tag):
    raw = (
        b"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s; "
        + junk
        + tag.encode("utf-8", "replace")
        + b"\r\n"
        + MAIL
    )
    assert not authentic(raw)
