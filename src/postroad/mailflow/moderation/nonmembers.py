"""The list's tables of strangers: addresses, `^` patterns, and `@list` for the members of another list."""

from collections.abc import Sequence

from postroad.community.lists.models import MailingList
from postroad.community.lists.queries import find_list
from postroad.community.subscriptions.queries import member_of
from postroad.foundation.errors import BadInput
from postroad.foundation.message.addresses import identity, spellings
from postroad.foundation.patterns import compile_pattern, matches


def is_listed(mailing_list: MailingList, email: str, entries: Sequence[str], *, others: bool = False) -> bool:
    """Whether an entry is the address or matches it; with `others`, or is another list that the address is on."""
    for entry in entries:
        if entry.startswith("^"):
            if _matches(entry, email):
                return True
        elif entry.startswith("@") and others:
            other = find_list(entry[1:])
            if other is not None and other.pk != mailing_list.pk and member_of(other, email) is not None:
                return True
        elif identity(entry) == email:
            return True
    return False


def _matches(pattern: str, email: str) -> bool:
    try:
        return any(matches(compile_pattern(pattern), text) for text in spellings(email))
    except BadInput:
        return False  # Seen in practice: patterns an older system took; they name nobody.
