"""The verbs of tokens: make one, revoke one, forget those that are long over."""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from postroad.community.access.models import Token
from postroad.community.access.queries import digest_of
from postroad.community.lists.queries import find_list
from postroad.community.people.models import User
from postroad.community.subscriptions.rights import includes, right_on
from postroad.foundation.errors import BadInput, NotAllowed

LONGEST_DAYS = 3660
MOST_TOKENS = 50
KEPT_DAYS = 90
"""Tokens that are over are shown for so long."""


@transaction.atomic
def make_token(user: User, name: str, scope: str, lists: Sequence[str] = (), days: int = 365) -> tuple[Token, str]:
    """A token for a person's program, and the secret itself, which is told only now.

    Raises:
        BadInput: no name, an unknown scope or list, too many days or tokens.
        NotAllowed: the person has not that right.
    """
    name = " ".join(name.split())
    if not name or len(name) > 100:
        raise BadInput("A token needs a name of at most 100 characters, so that you know it again.")
    if scope not in Token.Scope.values:
        raise BadInput(f"Unknown scope {scope}. Accepted Values are: {', '.join(Token.Scope.values)}")
    if not 1 <= days <= LONGEST_DAYS:
        raise BadInput(f"A token holds for 1 to {LONGEST_DAYS} days, not {days}.")
    if user.tokens.count() >= MOST_TOKENS:
        raise BadInput(f"There are {MOST_TOKENS} tokens already; revoke one that is not used.")
    if scope == Token.Scope.SITE and not user.is_superuser:
        raise NotAllowed("Only a server owner can make a token for the whole site.")
    if scope == Token.Scope.SITE and lists:
        raise BadInput("A token for the whole site is not bound to lists.")
    named = [_named(user, scope, item) for item in lists]
    secret = secrets.token_hex(20)
    token = Token.objects.create(
        user=user, name=name, digest=digest_of(secret), scope=scope, lists=named,
        expires_at=timezone.now() + timedelta(days=days),
    )  # fmt: skip
    return token, secret


def _named(user: User, scope: str, name: str) -> str:
    """The list-id of a list on which the person has this right."""
    mailing_list = find_list(name)
    right = right_on(user, mailing_list.pk) if mailing_list else None
    if mailing_list is None or right is None:
        raise BadInput(f"No such list of {user}: {name}")
    if not includes(right, scope):
        raise NotAllowed(f"{user} may {right} {mailing_list.list_id}, not {scope}.")
    return mailing_list.list_id


@transaction.atomic
def revoke(token: Token) -> None:
    """End a token at once."""
    token.delete()


def forget_old_tokens() -> None:
    """Remove tokens that have been over for `KEPT_DAYS`."""
    Token.objects.filter(expires_at__lt=timezone.now() - timedelta(days=KEPT_DAYS)).delete()
