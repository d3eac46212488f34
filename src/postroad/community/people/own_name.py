"""django-allauth knows the site by its own name: links in mail, limits and passkeys must not follow the Host field.

Host is the caller's to choose. A link to a new password that leads to whoever asked for it gives the account away.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse

from postroad.foundation.configuration import current

PAGES = "/accounts/"


class OwnName:
    """Gives requests for allauth's pages the name of `[site] base_url`; stands behind the check of the Origin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing yet: a form's Origin is compared with the name the page was reached by (CSRF)."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Once that is done, the site's own name counts."""
        if request.path_info.startswith(PAGES):
            own = urlsplit(current().site.base_url)
            request.META |= {"HTTP_HOST": own.netloc, "wsgi.url_scheme": own.scheme}
