"""Held posts, for those who may decide about them."""

from django.db.models import QuerySet

from postroad.community.lists.models import MailingList
from postroad.mailflow.moderation.models import HeldMessage


def held_messages(mailing_list: MailingList) -> "QuerySet[HeldMessage]":
    """What waits on a list, the oldest first."""
    return HeldMessage.objects.filter(mailing_list=mailing_list).order_by("request_id")
