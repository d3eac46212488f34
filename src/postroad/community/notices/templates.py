"""Texts of notices: the list's own, the domain's, the site's, else the ones that come with Postroad, translated."""

import functools
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from postroad.community.lists.models import MailingList
from postroad.community.lists.register import all_settings
from postroad.community.notices.fetching import text_of, uri_of, was_tried
from postroad.community.notices.models import OwnText, TemplateUri
from postroad.foundation.catalogs import translator
from postroad.foundation.configuration import current
from postroad.foundation.queue import memory
from postroad.foundation.rows import marks, select

_SLICE = Path(__file__).parent
_VARIABLE = re.compile(r"\$(?:\{([a-z_]+)\}|([a-z_]+)|\$)")
_OURS = frozenset({"list:user:action:options"})
"""Notices Mailman has no name for."""


def _known() -> tuple[str, ...]:
    return tuple(sorted(path.stem.replace("-", ":", 3) for path in (_SLICE / "texts").glob("*.txt")))


ALL_NAMES = _known()
NAMES = tuple(name for name in ALL_NAMES if name not in _OURS)
"""The 28 names that Mailman's clients know."""


@functools.cache
def built_in(name: str) -> str:
    """The English text that comes with Postroad; empty for an unknown name."""
    path = _SLICE / "texts" / f"{name.replace(':', '-')}.txt"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def translated(text: str, language: str) -> str:
    """One of our own texts or subjects in a language."""
    return translator(_SLICE, language)(text)


def language_of(mailing_list: MailingList | None) -> str:
    """The list's language, or the site's."""
    return all_settings()["preferred_language"].of(mailing_list) if mailing_list else current().site.language


def text(name: str, mailing_list: MailingList | None, language: str = "") -> str:
    """The template of this name that counts, before its variables are filled.

    The nearest scope counts, list before domain before site: its text in the reader's `language` (the list's unless
    told), else its text for all languages. Then the same in the list's and the site's language, then our own.
    """
    wanted = language or language_of(mailing_list)
    languages = (wanted, "", language_of(mailing_list), current().site.language)
    key = "text", name, mailing_list and mailing_list.pk, languages
    own = memory.once(key, lambda: _own_text(name, mailing_list, languages))
    return translated(built_in(name), wanted) if own is None else own


def _own_text(name: str, mailing_list: MailingList | None, languages: Sequence[str]) -> str | None:
    contexts = [*([mailing_list.list_id, mailing_list.mail_host] if mailing_list else []), ""]
    fetched = {row.context: row for row in _uris(name, contexts)}
    found = {}
    for context, row in fetched.items():
        body = text_of(row, _in_uris(mailing_list, languages[0]))
        if body is not None:
            found[context, ""] = body
    where = f"name = %s AND context IN ({marks(len(contexts))}) AND language IN ({marks(len(languages))})"
    written = select(OwnText, where, name, *contexts, *languages)
    found |= {(own.context, own.language): own.text for own in written}
    order = [(c, lang) for tier in (languages[:2], languages[2:]) for c in contexts for lang in tier]
    return next((found[place] for place in order if place in found), None)


def _uris(name: str, contexts: Sequence[str]) -> list[TemplateUri]:
    """Where texts of this name come from, for these scopes; asked for every post, and looked up once for a batch."""
    where = f"name = %s AND context IN ({marks(len(contexts))})"
    return memory.once(("uris", name, *contexts), lambda: select(TemplateUri, where, name, *contexts))


def not_tried(name: str, mailing_list: MailingList | None, language: str = "") -> list[tuple[TemplateUri, str]]:
    """Where the text of a template would come from that nobody asked yet."""
    return [(row, uri) for row, uri in from_afar(name, mailing_list, language) if not was_tried(uri)]


def from_afar(name: str, mailing_list: MailingList | None, language: str = "") -> list[tuple[TemplateUri, str]]:
    """Where the text of a template is fetched from, for the list, its domain and the site."""
    contexts = [*([mailing_list.list_id, mailing_list.mail_host] if mailing_list else []), ""]
    values = _in_uris(mailing_list, language or language_of(mailing_list))
    return [(row, uri) for row in _uris(name, contexts) if (uri := uri_of(row, values))]


def _in_uris(mailing_list: MailingList | None, language: str) -> Mapping[str, str]:
    """The variables a template's URI may hold."""
    if mailing_list is None:
        return {"language": language}
    return {
        "list_id": mailing_list.list_id,
        "listname": mailing_list.fqdn_listname,
        "domain_name": mailing_list.mail_host,
        "language": language,
    }


def expand(template: str, values: Mapping[str, str]) -> str:
    """The text with its variables filled; unknown ones stay, and nothing else is ever run."""

    def fill(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return values.get(name, match[0]) if name else "$"

    return _VARIABLE.sub(fill, template)


def variables(template: str) -> frozenset[str]:
    """The names of the variables in a text."""
    return frozenset(name for match in _VARIABLE.finditer(template) if (name := match[1] or match[2]))


def wrapped(body: str, columns: int = 70) -> str:
    """Paragraphs filled to a width; indented ones and short lines stay as they are."""
    lines = []
    for line in body.split("\n"):
        long = len(line) > columns + 10 and not line[:1].isspace()
        lines.append(textwrap.fill(line, columns, break_long_words=False, break_on_hyphens=False) if long else line)
    return "\n".join(lines)


def base_url(mailing_list: MailingList | None) -> str:
    """Where the pages of the list's domain are, without a slash at the end."""
    own = mailing_list.domain.base_url if mailing_list else None
    return (own or current().site.base_url).rstrip("/")


def standard_values(mailing_list: MailingList, language: str = "") -> dict[str, str]:
    """The variables every template of a list knows (facts: mail-flow §27)."""
    settings = all_settings()
    base = base_url(mailing_list)
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
        "list_requests": mailing_list.address("request"),
        "owner_email": mailing_list.address("owner"),
        "site_email": current().site.owner,
        "language": language or language_of(mailing_list),
        "base_url": base,
        "domain_url": base,
        "mailinglist_url": page,
        "held_message_url": f"{page}held/",
        "pending_subscriptions_url": f"{page}requests/",
        "pending_unsubscriptions_url": f"{page}requests/",
    }
