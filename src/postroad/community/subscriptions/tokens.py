"""Secrets of subscriptions: tokens mailed to people, and keyed addresses that need no table."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from postroad.foundation.configuration import current
from postroad.foundation.message.addresses import identity, with_ascii_domain

TOKEN_BYTES = 20
"""160 bits, 40 hexadecimal digits as Mailman's tokens have."""
_KEYS: dict[str, bytes] = {}


def _key(purpose: str) -> bytes:
    home = f"{current().home}:{purpose}"
    if home not in _KEYS:
        _KEYS[home] = current().secret(purpose)
    return _KEYS[home]


def new_token() -> str:
    """A fresh token; 160 bits of the system's randomness."""
    return secrets.token_hex(TOKEN_BYTES)


def hashed(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _mac(purpose: str, *parts: object, size: int) -> str:
    text = "\0".join(map(str, parts)).encode()
    return hashlib.blake2b(text, key=_key(purpose), digest_size=size).hexdigest()


def unsubscribe_token(list_pk: int, member_id: int) -> str:
    """What a one-click unsubscribe address carries: the membership and a MAC of 128 bits, 40 digits in all.

    It ends one membership and grants nothing else, so it needs no end of its own (RFC 8058 §3.1).
    """
    return f"{member_id:08x}{_mac('unsubscribe', list_pk, member_id, size=16)}"


def member_of_unsubscribe_token(list_pk: int, token: str) -> int | None:
    """The key of the membership an unsubscribe token of this list names; None when it is not ours."""
    return _member_of(unsubscribe_token, list_pk, token)


def resume_token(list_pk: int, member_id: int) -> str:
    """What the link in a bounce reminder carries: it switches one member's delivery on, and grants nothing else."""
    return f"{member_id:08x}{_mac('resume', list_pk, member_id, size=16)}"


def member_of_resume_token(list_pk: int, token: str) -> int | None:
    """The key of the membership a resume token of this list names; None when it is not ours."""
    return _member_of(resume_token, list_pk, token)


def choice_token(list_pk: int, member_id: int) -> str:
    """What the footer's link about a thread carries: it lets one member mute or follow threads of one list."""
    return f"{member_id:08x}{_mac('choice', list_pk, member_id, size=16)}"


def member_of_choice_token(list_pk: int, token: str) -> int | None:
    """The key of the membership a choice token of this list names; None when it is not ours."""
    return _member_of(choice_token, list_pk, token)


def _member_of(make: Callable[[int, int], str], list_pk: int, token: str) -> int | None:
    try:
        member_id = int(token[:-32], 16)
    except ValueError:
        return None
    return member_id if hmac.compare_digest(token.encode(), make(list_pk, member_id).encode()) else None


_DAYS = 10_000
"""Day numbers in a key wrap around after twenty-seven years."""


def verp_key(list_pk: int, email: str, day: int) -> str:
    """The key of a return path: four digits of the day, and 64 bits over list, address and day."""
    return f"{day % _DAYS:04d}{_mac('verp', list_pk, identity(email), day % _DAYS, size=8)}"


def is_valid_verp_key(list_pk: int, email: str, key: str) -> bool:
    """Whether a return path was made by us for this recipient in the last `verp_key_days` days."""
    if len(key) != 20 or not key[:4].isdigit():
        return False
    day, today = int(key[:4]), int(time.time() // 86_400) % _DAYS
    age = (today - day) % _DAYS
    return age <= current().mail.verp_key_days and hmac.compare_digest(key, verp_key(list_pk, email, day))


def today() -> int:
    """The number of the day, for keys."""
    return int(time.time() // 86_400)


def return_path(bounces_address: str, list_pk: int, email: str, day: int) -> str:
    """The envelope sender of one recipient's copy: `list-bounces+user=their.dom=KEY@dom`.

    Without an email, that of a bulk copy, whose key names the list only. An international domain stands in it as DNS
    knows it, so that only an international user asks SMTPUTF8 of the relay.
    """
    local, _, host = bounces_address.rpartition("@")
    who = f"{with_ascii_domain(email).replace('@', '=')}=" if email else ""
    return f"{local}+{who}{verp_key(list_pk, email, day)}@{host}"


def bounced_email(list_pk: int, extra: str, *, keyed: bool = True) -> str | None:
    """Whom a return path was made for, from what stands behind its `+`; None when the key is not ours or too old.

    Without `keyed`, Mailman's plain `user=their.dom` is believed too.
    """
    rest, _, key = extra.lower().rpartition("=")
    local, equals, domain = rest.rpartition("=")
    email = identity(f"{local}@{domain}")
    if equals and local and is_valid_verp_key(list_pk, email, key):
        return email
    return f"{rest}@{key}" if not keyed and rest and "." in key else None


def is_bulk_return_path(list_pk: int, extra: str) -> bool:
    """Whether what stands behind the `+` of a return path is our key of a bulk copy."""
    return is_valid_verp_key(list_pk, "", extra.lower())
