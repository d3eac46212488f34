"""Who calls: the site's one credential, by HTTP Basic."""

import base64
import binascii
import hmac
from typing import Protocol

from django.http import HttpRequest

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


_SITE = SiteCaller()


def who_calls(request: HttpRequest) -> Caller | None:
    """The caller of a request (RFC 7617); None when the credential is missing or wrong."""
    scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
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
    return None
