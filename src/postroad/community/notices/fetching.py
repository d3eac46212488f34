"""Fetches the text behind a template's URI: from where the site's owner allows, within limits, and nowhere else.

The last text is kept, so that a server that is away costs no mail. A URI is looked at again after `FRESH_SECONDS`.
"""

import base64
import http.client
import logging
import re
import time
from collections.abc import Mapping
from http.client import HTTPException
from urllib.parse import SplitResult, unquote, urlsplit

from postroad.community.notices.models import FetchedText, TemplateUri
from postroad.foundation.configuration import current

log = logging.getLogger("postroad.notices")

FRESH_SECONDS = 7 * 86_400.0
"""Mailman's `cache_life`."""
RETRY_SECONDS = 300.0
"""After a failure, nobody waits for the same server again before this time."""
TIMEOUT_SECONDS = 5.0
LARGEST_TEXT = 256 * 1024
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class Refused(Exception):
    """The address is not one that may be asked, or what came is no text."""


def text_of(row: TemplateUri, values: Mapping[str, str]) -> str | None:
    """The text of a template of one's own; None when there is none yet, so that a wider one counts.

    `values` fill `$list_id` and the like in the URI.
    """
    uri = _VARIABLE.sub(lambda match: values.get(match[1] or match[2], match[0]), row.uri)
    if not uri or uri.startswith("mailman:"):
        return row.text
    kept = FetchedText.objects.filter(uri=uri).first()
    now = time.time()
    if kept is not None and kept.next_at > now:
        return kept.text if kept.text is not None else row.text
    try:
        text: str | None = fetch(uri, row.username, row.password)
        next_at = now + FRESH_SECONDS
    except (Refused, OSError, HTTPException, ValueError) as error:
        log.warning("template %s of %s: %s: %s", row.name, row.context or "the site", uri, error)
        text, next_at = kept.text if kept is not None else None, now + RETRY_SECONDS
    FetchedText.objects.update_or_create(uri=uri, defaults={"text": text, "next_at": next_at})
    return text if text is not None else row.text


def fetch(uri: str, username: str | None = None, password: str | None = None) -> str:
    """The text at an address, at most 256 KiB of it, within five seconds.

    Raises:
        Refused: the address is not below `base_url` or a prefix of `[templates] fetch_from`, or the answer is not
            200 with a text in UTF-8; a redirect is not followed.
        OSError, HTTPException: the server cannot be reached or says nonsense.
    """
    parts = _allowed(uri)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    server = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    headers = {"Accept": "text/plain", "User-Agent": "Postroad"}
    if username is not None and password is not None:
        credential = base64.b64encode(f"{username}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {credential}"
    try:
        server.request("GET", parts._replace(scheme="", netloc="", fragment="").geturl() or "/", headers=headers)
        answer = server.getresponse()
        if answer.status != 200:
            raise Refused(f"answered {answer.status}")
        return _read(answer)
    finally:
        server.close()


def _read(answer: http.client.HTTPResponse) -> str:
    """All of the answer; a server that sends byte by byte is left when the time is over."""
    end, data = time.monotonic() + TIMEOUT_SECONDS, b""
    while piece := answer.read1(65_536):
        data += piece
        if len(data) > LARGEST_TEXT:
            raise Refused(f"more than {LARGEST_TEXT} bytes")
        if time.monotonic() > end:
            raise Refused(f"not there after {TIMEOUT_SECONDS:.0f} s")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Refused("not UTF-8") from None
    if "\0" in text:
        raise Refused("not a text")
    return text


def _allowed(uri: str) -> SplitResult:
    """The parts of an address that may be asked.

    Raises:
        Refused: it may not.
    """
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not parts.hostname:
        raise Refused("only http and https addresses without credentials in them are fetched")
    if ".." in unquote(unquote(parts.path)).split("/") or "\\" in uri or not uri.isascii() or not uri.isprintable():
        raise Refused("the address leads out of its folder")
    if not any(_begins(uri, prefix) for prefix in (current().site.base_url, *current().templates.fetch_from)):
        raise Refused("not below base_url or a prefix of [templates] fetch_from")
    return parts


def _begins(uri: str, prefix: str) -> bool:
    """Whether the address lies below the prefix, which ends where a host, port or path segment does."""
    rest = uri[len(prefix) :]
    return bool(prefix) and uri.startswith(prefix) and (prefix[-1] in "/:" or rest[:1] in ("", "/", "?"))
