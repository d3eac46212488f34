"""Whose token a secret is, what it may do, and on which lists its person has rights."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from postroad.community.access.models import Token
from postroad.community.lists.models import MailingList
from postroad.community.lists.queries import find_list
from postroad.community.people.models import User
from postroad.community.subscriptions.rights import BY_ROLE, includes, on_lists, right_on
from postroad.foundation.rest.operation import Right

USED_AGAIN = timedelta(minutes=1)
"""Last use is noted to the minute, so that reading rarely writes."""


def digest_of(secret: str) -> str:
    """What is kept of a token; 160 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def tokens_of(user: User | None = None) -> "QuerySet[Token]":
    """The tokens of a person, or everybody's, the newest first."""
    rows = Token.objects.select_related("user").order_by("-pk")
    return rows if user is None else rows.filter(user=user)


def lists_of(user: User) -> "QuerySet[MailingList]":
    """The lists a person may moderate or manage; all of them for a server owner."""
    rows = MailingList.objects.order_by("list_id")
    return rows if user.is_superuser else rows.filter(on_lists(user, BY_ROLE))


@dataclass(frozen=True, slots=True)
class TokenCaller:
    """A person's program; it may do what the token says, and never more than the person may now."""

    token: Token

    @property
    def name(self) -> str:
        """Stands in the audit log."""
        return f"{self.token.user.email or self.token.user.uuid} (token {self.token.pk}: {self.token.name})"

    @property
    def is_site(self) -> bool:
        """A token for the whole site, of somebody who still owns the server."""
        return self.token.scope == Token.Scope.SITE and self.token.user.is_superuser

    def may(self, right: Right, list_id: str | None) -> bool:
        """Whether token and person both have this right on the list; without a list, only what everybody may read."""
        if not includes(self.token.scope, right) or right == "site":
            return False
        mailing_list = find_list(list_id) if list_id else None
        if mailing_list is None:
            return list_id is None and right == "read"
        if self.token.lists and mailing_list.list_id not in self.token.lists:
            return False
        return includes(right_on(self.token.user, mailing_list.pk), right)


def caller_of(secret: str) -> TokenCaller | None:
    """Whoever has this token; None when there is no such token, or it is over. Its use is noted."""
    now = timezone.now()
    rows = Token.objects.select_related("user").filter(
        digest=digest_of(secret), expires_at__gt=now, user__is_active=True
    )
    token = rows.first()
    if token is None:
        return None
    if token.last_used_at is None or token.last_used_at < now - USED_AGAIN:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
    return TokenCaller(token)
