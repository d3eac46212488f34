"""Texts of notices: the list's own, the domain's, the site's, else the ones that come with Postroad."""

import functools
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path

from postroad.community.lists.models import MailingList
from postroad.community.lists.register import all_settings
from postroad.community.notices.models import TemplateUri
from postroad.foundation.configuration import current

_VARIABLE = re.compile(r"\$(?:\{([a-z_]+)\}|([a-z_]+)|\$)")
_TEXTS = Path(__file__).with_name("texts")
NAMES = tuple(sorted(path.stem.replace("-", ":", 3) for path in _TEXTS.glob("*.txt")))


@functools.cache
def _built_in(name: str) -> str:
    path = _TEXTS / f"{name.replace(':', '-')}.txt"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def text(name: str, mailing_list: MailingList | None) -> str:
    """The template of this name that counts for the list, before its variables are filled."""
    contexts = ["", *([mailing_list.mail_host, mailing_list.list_id] if mailing_list else [])]
    own = {row.context: row for row in TemplateUri.objects.filter(name=name, context__in=contexts)}
    for context in reversed(contexts):
        found = own.get(context)
        if found is not None and found.text is not None:
            return found.text
    return _built_in(name)


def expand(template: str, values: Mapping[str, str]) -> str:
    """The text with its variables filled; unknown ones stay, and nothing else is ever run."""

    def fill(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return values.get(name, match[0]) if name else "$"

    return _VARIABLE.sub(fill, template)


def wrapped(body: str, columns: int = 70) -> str:
    """Paragraphs filled to a width; indented ones and short lines stay as they are."""
    lines = []
    for line in body.split("\n"):
        long = len(line) > columns + 10 and not line[:1].isspace()
        lines.append(textwrap.fill(line, columns, break_long_words=False, break_on_hyphens=False) if long else line)
    return "\n".join(lines)


def standard_values(mailing_list: MailingList) -> dict[str, str]:
    """The variables every template of a list knows (facts: mail-flow §27)."""
    settings = all_settings()
    base = (mailing_list.domain.base_url or current().site.base_url).rstrip("/")
    page = f"{base}/lists/{mailing_list.list_id}/"
    return {
        "listname": mailing_list.fqdn_listname,
        "fqdn_listname": mailing_list.fqdn_listname,
        "list_name": mailing_list.list_name,
        "short_listname": mailing_list.list_name,
        "list_id": mailing_list.list_id,
        "mail_host": mailing_list.mail_host,
        "domain": mailing_list.mail_host,
        "display_name": settings["display_name"].of(mailing_list),
        "description": settings["description"].of(mailing_list),
        "info": settings["info"].of(mailing_list),
        "request_email": mailing_list.address("request"),
        "request_address": mailing_list.address("request"),
        "owner_email": mailing_list.address("owner"),
        "site_email": current().site.owner,
        "language": settings["preferred_language"].of(mailing_list),
        "base_url": base,
        "domain_url": base,
        "mailinglist_url": page,
        "held_message_url": f"{page}held/",
        "pending_subscriptions_url": f"{page}requests/",
        "pending_unsubscriptions_url": f"{page}requests/",
    }
