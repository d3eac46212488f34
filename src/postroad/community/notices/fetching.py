"""Fetches the text behind a template's URI: from where the site's owner allows, within limits, and nowhere else.

It is fetched when its address is set, and again when it is old, by a worker that holds no transaction meanwhile. The
last text is kept, so that a server that is away costs no mail. A notice whose text was never asked for waits.
"""

import base64
import http.client
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from postroad.community.notices.models import FetchedText, TemplateUri
from postroad.foundation.configuration import current
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope

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


def uri_of(row: TemplateUri, values: Mapping[str, str]) -> str:
    """The address of a template, its `$list_id` and the like filled; empty when nothing is to be fetched."""
    uri = _VARIABLE.sub(lambda match: values.get(match[1] or match[2], match[0]), row.uri)
    return "" if uri.startswith("mailman:") else uri


def text_of(row: TemplateUri, values: Mapping[str, str]) -> str | None:
    """The last text of a template of one's own; None when there is none yet, so that a wider one counts.

    Nobody is waited for here, since whoever asks may hold a transaction: a text that is old is fetched by the worker.
    """
    uri = uri_of(row, values)
    if not uri:
        return row.text
    kept = FetchedText.objects.filter(uri=uri).first()
    if kept is None or kept.next_at <= time.time():
        order(row, uri)
    return kept.text if kept is not None and kept.text is not None else row.text


def was_tried(uri: str) -> bool:
    """Whether the address was asked at least once since it was set."""
    return FetchedText.objects.filter(uri=uri, tried=True).exists()


def order(row: TemplateUri, uri: str, *, anew: bool = False) -> None:
    """Have a text fetched by the worker; `anew` when its address was set just now, for there may be another text."""
    values: dict[str, Any] = {
        "source": row,
        "next_at": time.time() + RETRY_SECONDS,
        **({"tried": False} if anew else {}),
    }
    kept, _ = FetchedText.objects.update_or_create(uri=uri, defaults=values)
    queue.put("templates", job(str(kept.pk)))


def job(which: str, message: str = "") -> Envelope:
    """What the worker is told: the key of a `FetchedText`, or that of a stored notice which waits for its texts."""
    journey = queue.new_journey()
    return Envelope(
        journey=journey, message=message, message_id=journey, received_at=time.time(), kind="notice", recipient=which
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What came of asking one address: a text, or why there is none."""

    uri: str
    source: int
    text: str | None


def ask(row: TemplateUri, uri: str) -> Found:
    """Ask an address; outside of any transaction, for it may take `TIMEOUT_SECONDS`."""
    try:
        return Found(uri, row.pk, fetch(uri, row.username, row.password))
    except (Refused, OSError, HTTPException, ValueError) as error:
        log.warning("template %s of %s: %s: %s", row.name, row.context or "the site", uri, error)
        return Found(uri, row.pk, None)


def keep(found: Found) -> None:
    """Keep what was found; after a failure the last text stays, and the address is asked again soon."""
    if not TemplateUri.objects.filter(pk=found.source).exists():
        return
    failed = found.text is None
    values = {
        "source_id": found.source,
        "tried": True,
        "next_at": time.time() + (RETRY_SECONDS if failed else FRESH_SECONDS),
    }
    text = {} if failed else {"text": found.text}
    FetchedText.objects.update_or_create(uri=found.uri, defaults={**values, **text})


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
