"""Checks password hashes of older systems; whoever signs in with one gets a new hash at once (Django's `must_update`).

Mailman 3's core kept crypt hashes, Mailman 2.1 plain SHA-1, old Django salted SHA-1.
"""

import hashlib
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher, mask_hash
from django.utils.crypto import constant_time_compare


class _OldHasher(BasePasswordHasher):
    """One that only checks."""

    def encode(self, password: str, salt: str) -> str:
        """Nothing new is made this way."""
        raise ValueError(f"{self.algorithm} hashes are only checked, never made")

    def safe_summary(self, encoded: str) -> Any:
        """What may be shown of it."""
        return {"algorithm": self.algorithm, "hash": mask_hash(encoded.partition("$")[2])}

    def must_update(self, encoded: str) -> bool:
        """Always."""
        return True

    def harden_runtime(self, password: str, encoded: str) -> None:
        """An old hash has the cost it has."""


class Crypt(_OldHasher):
    """SHA-crypt as passlib writes it: `crypt$$6$rounds=656000$salt$hash`, and `$5$`."""

    algorithm = "crypt"

    def verify(self, password: str, encoded: str) -> bool:
        """Whether this is the password; never, if the package `libpass` is not there."""
        try:
            from passlib.hash import sha256_crypt, sha512_crypt
        except ImportError:
            return False
        old = encoded.partition("$")[2]
        kind = sha512_crypt if old.startswith("$6$") else sha256_crypt
        try:
            return bool(kind.verify(password, old))
        except ValueError:
            return False


class SaltedSha1(_OldHasher):
    """Django before 1.4: `sha1$salt$hash`."""

    algorithm = "sha1"

    def verify(self, password: str, encoded: str) -> bool:
        """Whether this is the password."""
        salt, _, expected = encoded.partition("$")[2].partition("$")
        return constant_time_compare(expected, hashlib.sha1((salt + password).encode()).hexdigest())  # noqa: S324


class UnsaltedSha1(_OldHasher):
    """Mailman 2.1, and the oldest Django: `sha1$$hash`, which Django looks up under this name."""

    algorithm = "unsalted_sha1"

    def verify(self, password: str, encoded: str) -> bool:
        """Whether this is the password."""
        return constant_time_compare(encoded.rpartition("$")[2], hashlib.sha1(password.encode()).hexdigest())  # noqa: S324


def from_passlib(old: str) -> str:
    """A hash of Mailman's as Django looks it up; empty when it is of a kind nobody can check.

    Forty hexadecimal digits are Mailman 2.1's SHA-1, without salt.
    """
    if old.startswith(("$5$", "$6$")):
        return f"{Crypt.algorithm}${old}"
    if len(old) == 40 and all(digit in "0123456789abcdef" for digit in old.lower()):
        return f"{SaltedSha1.algorithm}$${old.lower()}"
    return ""
