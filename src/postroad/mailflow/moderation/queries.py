"""Held posts, for those who may decide about them; and who proved to write good ones."""

from django.db.models import QuerySet

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions.models import Member
from postroad.mailflow.moderation.models import GoodPosts, HeldMessage


def held_messages(mailing_list: MailingList) -> "QuerySet[HeldMessage]":
    """What waits on a list, the oldest first."""
    return HeldMessage.objects.filter(mailing_list=mailing_list).order_by("request_id")


def good_posts(member: Member) -> int:
    """How many posts of the member were accepted since the list watches first posts."""
    return GoodPosts.objects.filter(member=member).values_list("count", flat=True).first() or 0
