"""Who is banned, asked at every post and join."""

from django.db.models import Q, QuerySet

from postroad.community.bans.models import Ban
from postroad.community.lists.models import MailingList
from postroad.foundation.errors import BadInput
from postroad.foundation.patterns import compile_pattern, matches


def find(mailing_list: MailingList | None) -> "QuerySet[Ban]":
    """The bans of a list, or those of the whole site, by address."""
    return Ban.objects.filter(mailing_list=mailing_list).order_by("email")


def is_banned(email: str, mailing_list: MailingList | None = None) -> bool:
    """Whether the address is banned on the site or, if one is given, on the list: by itself or by a pattern.

    A pattern is banned when it is exactly one of the bans.
    """
    text = email if email.startswith("^") else email.lower()
    scope = Q(mailing_list__isnull=True)
    if mailing_list is not None:
        scope |= Q(mailing_list=mailing_list)
    rows = Ban.objects.filter(scope).filter(Q(email=text) | Q(email__startswith="^"))
    return any(stored == text or _matches(stored, text) for stored in rows.values_list("email", flat=True))


def _matches(stored: str, text: str) -> bool:
    if not stored.startswith("^"):
        return False
    try:
        return matches(compile_pattern(stored), text)
    except BadInput:
        return False  # Seen in practice: patterns an older system took; they ban nobody.
