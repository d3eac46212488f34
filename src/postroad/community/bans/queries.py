"""Who is banned, asked at every post and join."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import QuerySet

from postroad.community.bans.models import Ban
from postroad.community.lists.models import MailingList
from postroad.foundation.errors import BadInput
from postroad.foundation.message.addresses import identity, spellings
from postroad.foundation.patterns import compile_pattern, matches
from postroad.foundation.queue import memory
from postroad.foundation.rows import marks

_Row = tuple[str, int | None]
_BAN = "email, mailing_list_id FROM bans_ban WHERE (mailing_list_id IS NULL OR mailing_list_id = %s)"
"""Asked for every mail and every join, so in SQL; no list has the key 0."""


def find(mailing_list: MailingList | None) -> "QuerySet[Ban]":
    """The bans of a list, or those of the whole site, by address."""
    return Ban.objects.filter(mailing_list=mailing_list).order_by("email")


def is_banned(email: str, mailing_list: MailingList | None = None) -> bool:
    """Whether the address is banned on the site or, if one is given, on the list: by itself or by a pattern.

    A pattern is banned when it is exactly one of the bans.
    """
    return bool(first_banned([email], mailing_list))


def first_banned(emails: Sequence[str], mailing_list: MailingList | None = None) -> str:
    """The first of these addresses that `is_banned`, or empty; one query for all of them."""
    bans = _bans(emails, mailing_list)
    return next((email for email in emails if any(_bans_it(ban, email) for ban, _ in bans)), "")


def banning(email: str, mailing_list: MailingList | None = None) -> str:
    """Which ban holds an address off, in words; empty when none does."""
    for ban, of_list in _bans([email], mailing_list):
        if _bans_it(ban, email):
            return f"{ban} {'on this list' if of_list else 'on the whole site'}"
    return ""


def _bans(emails: Sequence[str], mailing_list: MailingList | None) -> list[_Row]:
    """The bans that may concern these addresses, each with its list; those of the address itself first."""
    key = mailing_list.pk if mailing_list is not None else 0
    patterns, are_addresses = memory.once(("bans", key), lambda: _kinds(key))
    if not (are_addresses and emails):
        return patterns
    found = _rows(f"SELECT {_BAN} AND email IN ({marks(len(emails))})", key, *map(compared, emails))
    # A ban of the whole site has no list, and `None` is less than nothing.
    return [*sorted((row for row in found if row[0][:1] != "^"), key=lambda row: (row[0], row[1] or 0)), *patterns]


def compared(email_or_regexp: str) -> str:
    """A ban as it is kept and looked for: an address by its identity, a pattern as it was written."""
    return email_or_regexp if email_or_regexp.startswith("^") else identity(email_or_regexp)


def _bans_it(ban: str, email: str) -> bool:
    return ban == compared(email) or (ban.startswith("^") and any(_matches(ban, text) for text in spellings(email)))


def _kinds(mailing_list: int) -> tuple[list[_Row], bool]:
    """The patterns among bans, each with its list, and whether there are addresses too; asked once for a batch."""
    found = _rows(
        f"SELECT {_BAN} AND email LIKE '^%%'"
        f" UNION ALL SELECT '', NULL WHERE EXISTS (SELECT {_BAN} AND email NOT LIKE '^%%')",
        mailing_list,
        mailing_list,
    )
    patterns = sorted((row for row in found if row[0]), key=lambda row: row[0])
    return patterns, len(patterns) < len(found)


def _rows(statement: str, *values: str | int) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _matches(pattern: str, text: str) -> bool:
    try:
        return matches(compile_pattern(pattern), text)
    except BadInput:
        return False  # Seen in practice: patterns an older system took; they ban nobody.
