"""Who calls: the site by its one credential, or a person's program by a token."""

import base64
import binascii
import functools
import hmac
import re
from collections.abc import Callable
from typing import Protocol

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from postroad.foundation.configuration import current
from postroad.foundation.rest.operation import Right


class Caller(Protocol):
    """What a credential stands for."""

    name: str
    """Stands in the audit log."""
    is_site: bool
    """May do everything; nothing else is asked then."""

    def may(self, right: Right, list_id: str | None) -> bool:
        """Whether this right is given, on this list (by list-id or posting address) or, without one, on the site."""


class SiteCaller:
    """The user of `[rest]` in postroad.toml, who may do everything."""

    name = "site"
    is_site = True

    def may(self, right: Right, list_id: str | None) -> bool:
        """Always."""
        return True


class Nobody:
    """Whoever has no credential, or a wrong one."""

    name = "nobody"


_SITE = SiteCaller()
NOBODY = Nobody()
_TOKEN = re.compile(r"[0-9a-f]{40}")


def who_calls(request: HttpRequest) -> Caller | None:
    """The caller of a request; None when the credential is missing or wrong.

    Basic (RFC 7617) has the site's user and password, or a token as the password of whatever user; Bearer (RFC 6750
    §2.1) has a token.
    """
    scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        return _by_token()(value) if _TOKEN.fullmatch(value) else None
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    rest = current().rest
    same_user = hmac.compare_digest(user.encode(), rest.user.encode())
    same_password = hmac.compare_digest(password.encode(), rest.password.encode())
    if rest.password and same_user and same_password:
        return _SITE
    return _by_token()(password) if _TOKEN.fullmatch(password) else None


@functools.cache
def _by_token() -> Callable[[str], Caller | None]:
    """Whoever knows about tokens stands above this floor, so the site's settings name it."""
    found: Callable[[str], Caller | None] = import_string(settings.REST_TOKENS)
    return found
