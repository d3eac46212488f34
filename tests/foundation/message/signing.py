"""Signs mails as the author's server would, and verifies them as a receiver does: by dkimpy."""

import base64

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

_KEY = rsa.generate_private_key(65537, 1024)
_PRIVATE = _KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
_PUBLIC = base64.b64encode(_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def signed(raw: bytes, fields: list[bytes] | None = None) -> bytes:
    """The mail with a signature of example.org over these fields and the body."""
    return (
        dkim.sign(raw, b"s", b"example.org", _PRIVATE, canonicalize=(b"relaxed", b"simple"), include_headers=fields)
        + raw
    )


def verifies(raw: bytes) -> bool:
    """Whether the first signature holds."""
    return dkim.verify(raw, dnsfunc=lambda name, timeout=5: b"v=DKIM1; k=rsa; p=" + _PUBLIC)
