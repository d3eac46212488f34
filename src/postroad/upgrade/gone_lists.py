"""What becomes of lists that the old system deleted, which keeps their archives."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.db.models import Exists, OuterRef

from postroad.community.lists import moving_in as lists
from postroad.community.lists.actions import change_settings
from postroad.community.lists.models import MailingList
from postroad.mailflow.archive.models import Mail

TAKES_NO_POSTS: Mapping[str, Any] = MappingProxyType({
    "allow_list_posts": False, "default_member_action": "reject", "default_nonmember_action": "reject",
    "subscription_policy": "moderate",
})  # fmt: skip
"""The settings of a list that is here for its archive alone."""


def remove_lists(keys: Sequence[int]) -> None:
    """Take away lists; one with archived mails stays for them and takes no posts."""
    kept = list(MailingList.objects.filter(Exists(Mail.objects.filter(mailing_list=OuterRef("pk"))), pk__in=keys))
    for mailing_list in kept:
        change_settings(mailing_list, TAKES_NO_POSTS)
    lists.remove_lists(sorted(set(keys) - {mailing_list.pk for mailing_list in kept}))
