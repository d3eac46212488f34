"""Whose complaint it is (RFC 5965): receivers blot out addresses, so our own keys in the returned mail tell."""

import re

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.queries import member_of
from postroad.community.subscriptions.tokens import bounced_email, member_of_unsubscribe_token
from postroad.mailflow.bounces.reports import Report, returned_fields

_LINK = re.compile(r"/unsubscribe/([0-9a-f]{40,56})")
_PATH = re.compile(r"-bounces\+([^@<>\s]+)@", re.IGNORECASE)


def complaining_member(mailing_list: MailingList, report: Report) -> int | None:
    """The key of the membership that the returned mail was sent for; None when nothing of ours proves one."""
    for value in returned_fields(report, "list-unsubscribe"):
        for match in _LINK.finditer(value):
            pk = member_of_unsubscribe_token(mailing_list.pk, match[1])
            if pk is not None and Member.objects.filter(pk=pk, mailing_list=mailing_list).exists():
                return pk
    for value in [*returned_fields(report, "return-path"), *returned_fields(report, "x-original-mail-from")]:
        for match in _PATH.finditer(value):
            email = bounced_email(mailing_list.pk, match[1])
            member = member_of(mailing_list, email) if email else None
            if member is not None:
                return member.pk
    return None
