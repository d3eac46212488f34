"""Keys that mail is signed with, RSA (RFC 6376, RFC 8301) and Ed25519 (RFC 8463), and their records in DNS."""

import base64
import binascii
from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa, utils

Algorithm = Literal["rsa", "ed25519"]
ALGORITHMS: tuple[Algorithm, ...] = ("rsa", "ed25519")

RSA_BITS = 2048
"""Of keys made here (RFC 8301 §3.2)."""
SMALLEST, LARGEST = 1024, 4096
"""Bits of others' RSA keys: below, anybody can sign; above, checking takes long."""
LONGEST_RECORD = 4096

_PADDING = padding.PKCS1v15()
_PREHASHED = utils.Prehashed(hashes.SHA256())


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key of ours: it signs the SHA-256 of a header."""

    domain: str
    selector: str
    algorithm: Algorithm
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    def sign(self, digest: bytes) -> bytes:
        """The signature over a SHA-256; the interpreter is free for others meanwhile."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(digest, _PADDING, _PREHASHED)
        return self.key.sign(digest)

    @property
    def name(self) -> bytes:
        """What a signature's `a=` says."""
        return self.algorithm.encode() + b"-sha256"


def new_key(algorithm: Algorithm) -> bytes:
    """A fresh private key as DER (PKCS #8)."""
    return _der(
        rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        if algorithm == "rsa"
        else ed25519.Ed25519PrivateKey.generate()
    )


def der_of(data: bytes) -> bytes:
    """A private key made elsewhere, PEM or DER, checked and as DER (PKCS #8).

    Raises:
        ValueError: it is none, has a password, or is of a size or kind that others do not take.
    """
    read = serialization.load_pem_private_key if b"-----BEGIN" in data else serialization.load_der_private_key
    try:
        loaded = read(data, None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from error
    if isinstance(loaded, rsa.RSAPrivateKey) and not SMALLEST <= loaded.key_size <= LARGEST:
        raise ValueError(f"an RSA key of {loaded.key_size} bits; allowed are {SMALLEST} to {LARGEST}")
    if isinstance(loaded, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        return _der(loaded)
    raise ValueError("neither RSA nor Ed25519")


def _der(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def private_key(domain: str, selector: str, der: bytes) -> PrivateKey:
    """The key of this DER, made here before and therefore not validated again, which takes long.

    Raises:
        ValueError: it is none of the kinds we make.
    """
    loaded = serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    if isinstance(loaded, rsa.RSAPrivateKey):
        return PrivateKey(domain, selector, "rsa", loaded)
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        return PrivateKey(domain, selector, "ed25519", loaded)
    raise ValueError(f"The key of {selector}._domainkey.{domain} is neither RSA nor Ed25519.")


def record_of(key: PrivateKey) -> str:
    """The TXT record that others find the public key in (RFC 6376 §3.6.1, RFC 8463 §4)."""
    public = key.key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        data = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    else:
        data = public.public_bytes_raw()
    return f"v=DKIM1; k={key.algorithm}; p={base64.b64encode(data).decode()}"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Somebody's key, as DNS tells it."""

    algorithm: Algorithm
    key: rsa.RSAPublicKey | ed25519.Ed25519PublicKey
    hashes: tuple[str, ...] = ()
    """Hash algorithms it may be used with; all when there are none."""
    exact_domain: bool = False
    """`t=s`: who signs must be of the very domain the key is published under."""

    def verifies(self, signature: bytes, digest: bytes) -> bool:
        """Whether this signature over a SHA-256 is by the key's owner."""
        try:
            if isinstance(self.key, rsa.RSAPublicKey):
                self.key.verify(signature, digest, _PADDING, _PREHASHED)
            else:
                self.key.verify(signature, digest)
        except InvalidSignature:
            return False
        return True


def public_key(record: str) -> PublicKey | None:
    """The key of a DNS record; None when it is revoked, broken, for something else than mail, or too weak (§3.6.1)."""
    tags = dict(_pairs(record[:LONGEST_RECORD]))
    if tags.get("v", "DKIM1") != "DKIM1" or not {"*", "email"} & set(tags.get("s", "*").split(":")):
        return None
    try:
        data = base64.b64decode(tags.get("p", ""), validate=True)
        key: object
        if tags.get("k", "rsa") == "ed25519":
            key = ed25519.Ed25519PublicKey.from_public_bytes(data)
        else:
            key = serialization.load_der_public_key(data)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    algorithm: Algorithm
    if isinstance(key, rsa.RSAPublicKey) and SMALLEST <= key.key_size <= LARGEST and tags.get("k", "rsa") == "rsa":
        algorithm = "rsa"
    elif isinstance(key, ed25519.Ed25519PublicKey) and tags["k"] == "ed25519":
        algorithm = "ed25519"
    else:
        return None
    known = tuple(tags["h"].split(":")) if tags.get("h") else ()
    return PublicKey(algorithm, key, known, "s" in tags.get("t", "").split(":"))


def _pairs(record: str) -> list[tuple[str, str]]:
    """Tag and value of each part; white space counts nowhere in a key record."""
    parts = (part.partition("=") for part in record.split(";"))
    return [(name.strip(), "".join(value.split())) for name, _, value in parts if name.strip()]
