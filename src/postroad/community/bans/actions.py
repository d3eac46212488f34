"""The verbs of bans: ban, and lift a ban."""

from collections.abc import Sequence

from django.db import transaction

from postroad.community.bans.models import Ban
from postroad.community.bans.queries import compared, is_banned
from postroad.community.lists.models import MailingList
from postroad.community.lists.values import email_or_pattern
from postroad.foundation.errors import BadInput


@transaction.atomic
def ban(email_or_regexp: str, mailing_list: MailingList | None = None) -> Ban:
    """Ban an address, or all that match a `^` pattern, from one list or the whole site.

    Raises:
        BadInput: it is neither, or is banned already (a wider ban counts too).
    """
    text = compared(email_or_regexp)
    if len(text) > 255:
        raise BadInput(f"A ban of {len(text)} characters; allowed are 255.")
    email_or_pattern(text)
    if is_banned(text, mailing_list):
        raise BadInput(f"Address is already banned: {text}")
    return Ban.objects.create(email=text, mailing_list=mailing_list)


def lift(email_or_regexp: str, mailing_list: MailingList | None = None) -> bool:
    """Remove exactly this ban; tells whether there was one. Wider bans stay."""
    removed, _ = Ban.objects.filter(email=compared(email_or_regexp), mailing_list=mailing_list).delete()
    return removed > 0


@transaction.atomic
def bring_ban(email_or_regexp: str, mailing_list: MailingList | None = None) -> tuple[Ban, str]:
    """A ban as another system knew it, for importers; and why it bans nobody, if its pattern is not valid here."""
    made, _ = Ban.objects.get_or_create(email=compared(email_or_regexp)[:255], mailing_list=mailing_list)
    try:
        email_or_pattern(made.email)
    except BadInput as error:
        return made, str(error)
    return made, ""


def remove_bans(keys: Sequence[int]) -> None:
    """Take away bans by their keys."""
    Ban.objects.filter(pk__in=keys).delete()
