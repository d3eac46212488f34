"""What a page says while the database is away or the disk is full."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from postroad.foundation.errors import answer_for
from postroad.foundation.storage.trouble import is_the_databases_own, meaning

log = logging.getLogger("postroad.web")

RETRY_SECONDS = 30


class Outage:
    """Answers 503, or 507 for a full disk, where a page could not be made for want of the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Leave the request as it is."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A page for an outage; another error is Django's to tell. The page asks the database nothing."""
        if not isinstance(exception, OperationalError | InterfaceError) or not is_the_databases_own(exception):
            return None
        log.error("%s %s: %s", request.method, request.path_info, exception)
        status = answer_for(meaning(exception)).http
        page = render_to_string("503.html")
        return HttpResponse(page, status=status, headers={"Retry-After": str(RETRY_SECONDS)})  # RFC 9110 §10.2.3
