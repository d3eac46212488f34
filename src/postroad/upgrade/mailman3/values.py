"""Values of old columns as Python means them, whichever database they come from (facts: schema §1, §3)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from postroad.foundation.errors import BadInput
from postroad.upgrade.importing.pickles import Record, load

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ENUMS: dict[str, tuple[str, ...]] = {
    "Action": ("hold", "reject", "discard", "accept", "defer"),
    "FilterAction": ("hold", "reject", "discard", "accept", "defer", "forward", "preserve"),
    "ArchivePolicy": ("never", "private", "public"),
    "ArchiveRenderingMode": ("", "text", "markdown"),
    "BounceContext": ("", "normal", "probe"),
    "DeliveryMode": ("", "regular", "plaintext_digests", "mime_digests", "summary_digests"),
    "DeliveryStatus": ("", "enabled", "by_user", "by_bounces", "by_moderator", "unknown"),
    "DigestFrequency": ("yearly", "monthly", "quarterly", "weekly", "daily"),
    "DMARCMitigateAction": ("no_mitigation", "munge_from", "wrap_message", "reject", "discard"),
    "FilterType": ("filter_types", "pass_types", "filter_extensions", "pass_extensions"),
    "MemberRole": ("", "member", "owner", "moderator", "nonmember"),
    "NewsgroupModeration": ("none", "open_moderated", "moderated"),
    "Personalization": ("none", "individual", "full"),
    "ReplyToMunging": ("no_munging", "point_to_list", "explicit_header", "explicit_header_only"),
    "RequestType": ("", "held_message", "subscription", "unsubscription"),
    "Response": ("", "hold", "command", "owner", "postings"),
    "ResponseAction": ("none", "respond_and_discard", "respond_and_continue"),
    "RosterVisibility": ("public", "members", "moderators"),
    "SubscriptionPolicy": ("open", "confirm", "moderate", "confirm_then_moderate"),
    "UnrecognizedBounceDisposition": ("discard", "administrators", "site_owner"),
}
"""Words by their numbers; no number changed its meaning between 3.0.0 and 3.3.10."""

_LISTS = frozenset({"sqlalchemy.ext.mutable.MutableList"})


def word(enum: str, number: Any) -> str | None:
    """The word of an enum's number; None stays None.

    Raises:
        BadInput: there is no such number.
    """
    if number is None:
        return None
    words = ENUMS[enum]
    if not isinstance(number, int) or not 0 <= number < len(words) or not words[number]:
        raise BadInput(f"{number!r} is no {enum} of Mailman")
    return words[number]


def moment(value: Any) -> datetime | None:
    """A moment in UTC; one before 1900 means never (`last_warning_sent` begins in the year 1).

    Raises:
        BadInput: it is none.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise BadInput(f"not a moment: {value}") from None
    if not isinstance(value, datetime):
        raise BadInput(f"not a moment: {value!r}")
    if value.year < 1900:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def seconds(value: Any) -> float | None:
    """A length of time: an INTERVAL, or a moment counted from 1970 where the database has none."""
    if value is None or isinstance(value, timedelta):
        return None if value is None else value.total_seconds()
    counted = moment(value)
    return None if counted is None else (counted - EPOCH).total_seconds()


def boolean(value: Any) -> bool | None:
    """True or false of any database."""
    return None if value is None else bool(value)


def uuid(value: Any) -> UUID | None:
    """A UUID, given as such or as 32 digits.

    Raises:
        BadInput: it is none.
    """
    if value is None or isinstance(value, UUID):
        return value
    try:
        return UUID(str(value))
    except ValueError:
        raise BadInput(f"not a UUID: {value}") from None


def text(value: Any) -> str:
    """Text without NUL and without halves of characters; bytes are read as UTF-8."""
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray | memoryview):
        value = bytes(value).decode("utf-8", "replace")
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()


def pattern(value: Any) -> str:
    """A regular expression as it can be written here.

    Before Python 3.11 flags could stand anywhere (`^(?i)spam`); patterns never tell case apart here, so this one goes.
    """
    written = text(value)
    return written.replace("(?i)", "") if written.startswith("^") else written


def octets(value: Any) -> bytes | None:
    """A blob of any driver."""
    return None if value is None else bytes(value.encode() if isinstance(value, str) else value)


def strings(value: Any) -> list[Any]:
    """A pickled list (facts: schema §1), read without running it; its class in newer releases is a kind of list.

    Raises:
        BadInput: it holds more than plain values, or is damaged.
    """
    data = octets(value)
    return [] if not data else list(_members(load(data, _LISTS)))


def _members(found: Any) -> Sequence[Any]:
    if isinstance(found, Record):
        given = found.arguments[0] if found.arguments else []
        found = [*(given if isinstance(given, list | tuple) else []), *found.items]
    if not isinstance(found, list | tuple):
        raise BadInput(f"not a list but {type(found).__name__}")
    return found
