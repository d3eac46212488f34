"""Who is banned, asked at every post and join."""

from collections.abc import Sequence

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
    return bool(first_banned([email], mailing_list))


def first_banned(emails: Sequence[str], mailing_list: MailingList | None = None) -> str:
    """The first of these addresses that `is_banned`, or empty; one query for all of them."""
    texts = {email: email if email.startswith("^") else email.lower() for email in emails}
    scope = Q(mailing_list__isnull=True)
    if mailing_list is not None:
        scope |= Q(mailing_list=mailing_list)
    rows = Ban.objects.filter(scope).filter(Q(email__in=list(texts.values())) | Q(email__startswith="^"))
    bans = set(rows.values_list("email", flat=True))
    patterns = [ban for ban in bans if ban.startswith("^")]
    for email, text in texts.items():
        if text in bans or any(_matches(pattern, text) for pattern in patterns):
            return email
    return ""


def _matches(pattern: str, text: str) -> bool:
    try:
        return matches(compile_pattern(pattern), text)
    except BadInput:
        return False  # Seen in practice: patterns an older system took; they ban nobody.
