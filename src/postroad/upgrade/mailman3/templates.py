"""Steps: texts of notices. Those kept in Postorius or in Mailman's folders come as texts; others keep their address.

Mailman names a template by a URI. Most lead back into the site's own web half, which is gone after the move, so its
table is read in their place.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from postroad.community.lists.models import MailingList
from postroad.community.notices.moving_in import remove_texts
from postroad.community.notices.own_texts import keep
from postroad.community.notices.template_uris import set_uris
from postroad.community.notices.templates import ALL_NAMES
from postroad.foundation.languages import is_language
from postroad.upgrade.changed_here import TEXTS
from postroad.upgrade.importing.plan import Batch, Item, Step
from postroad.upgrade.mailman3.databases import Row
from postroad.upgrade.mailman3.moving import Moving
from postroad.upgrade.mailman3.values import text

_POSTORIUS = re.compile(r"/api/templates/(list|domain|site)/([^/]*)/([^/?]+)/?$")
_RENAMED = {
    "list:digest:footer": "list:member:digest:footer", "list:digest:header": "list:member:digest:header",
    "list:regular:footer": "list:member:regular:footer", "list:regular:header": "list:member:regular:header",
}  # fmt: skip
"""Names that a migration of Mailman 3.1 wrote and nothing reads (facts: schema §5)."""
_ANY_FOOTER = "list:member:generic:footer"
_FOOTERS = ("list:member:digest:footer", "list:member:regular:footer")
_SCOPES = ("site", "domains", "lists")

Texts = dict[tuple[str, str], list[tuple[str, str]]]
"""(name, identifier) → (language, text) of Postorius's table."""


def steps(moving: Moving) -> tuple[Step, ...]:
    """In their order: files first, since a template that is set goes before one that lies there."""
    return (
        Step("template files", lambda: _read_files(moving), _write_files, rows=TEXTS, remove=remove_texts),
        Step("templates", lambda: _read_templates(moving), lambda batch: _write_templates(moving, batch),
             lambda: moving.core.count("template"), rows=TEXTS, remove=remove_texts),
    )  # fmt: skip


# --- files below var/templates, which count without being named


def _read_files(moving: Moving) -> Iterator[Item]:
    root = moving.installation.paths["template_dir"]
    for scope in _SCOPES:
        for file in sorted((root / scope).rglob("*.txt")):
            parts = file.relative_to(root / scope).parts
            if len(parts) == (2 if scope == "site" else 3) and file.is_file():
                context = "" if scope == "site" else parts[0]
                body, key = file.read_bytes().decode("utf-8", "replace"), str(file.relative_to(root))
                for name in _names_of(file):
                    yield Item(key if name == file.stem else f"{key}:{name}", (context, parts[-2], name, body), key)


def _names_of(file: Path) -> Sequence[str]:
    """The templates a file is the text of: Mailman has one file for the footers that have none of their own."""
    if file.stem != _ANY_FOOTER:
        return [file.stem]
    return [name for name in _FOOTERS if not file.with_name(f"{name}.txt").is_file()]


def _write_files(batch: Batch) -> None:
    addresses = {made.fqdn_listname: made.list_id for made in MailingList.objects.all()}
    for item in batch.items:
        context, language, name, body = item.data
        if name not in ALL_NAMES:
            batch.done(item)  # A file that only a URI names; it comes with that.
            continue
        if not is_language(language):
            batch.impossible(item, f"{language} is not one of Postroad's languages")
            continue
        batch.done(item, keep(name, addresses.get(context, context), body, language))


# --- templates that are set


def _read_templates(moving: Moving) -> Iterator[Item]:
    texts = _texts_of_postorius(moving)
    for row in moving.core.rows("template", ("id", "name", "context", "uri", "username", "password")):
        row["texts"] = _texts_behind(text(row["uri"]), texts)
        row["file"] = _file_behind(moving, row)
        yield Item(str(row["id"]), row, f"{text(row['name'])} of {text(row['context']) or 'the site'}")


def _texts_of_postorius(moving: Moving) -> Texts:
    web, found = moving.installation.web, Texts()
    if web is not None:
        for row in web.rows("postorius_emailtemplate", ("name", "data", "language", "identifier")):
            key = (text(row["name"]), text(row["identifier"]))
            found.setdefault(key, []).append((text(row["language"]), text(row["data"])))
    return found


def _texts_behind(uri: str, texts: Texts) -> list[tuple[str, str]] | None:
    """What Postorius answers at this address: a list is named there by its list-id or its posting address."""
    match = _POSTORIUS.search(urlsplit(uri).path)
    if match is None:
        return None
    scope, identifier, name = match[1], unquote(match[2]), unquote(match[3])
    same = [identifier, identifier.replace("@", ".", 1)]
    if scope == "site":
        same.append("")
    return next((texts[name, one] for one in same if (name, one) in texts), None)


def _file_behind(moving: Moving, row: Row) -> str | None:
    """The text behind `mailman:///LIST-OR-DOMAIN/LANGUAGE/FILE`, from the folder of the scope that has it."""
    uri = text(row["uri"])
    if not uri.startswith("mailman:"):
        return None
    parts = [unquote(part) for part in urlsplit(uri).path.split("/") if part]
    root, context = moving.installation.paths["template_dir"], text(row["context"])
    if not parts or ".." in parts:
        return None
    languages = parts[-2:-1] or ["en"]
    places = [Path(scope, name) for scope in ("lists", "domains") for name in (*parts[:-2], context) if name]
    for place in (*places, Path("site")):
        file = root / place / languages[0] / parts[-1]
        if file.is_file():
            return file.read_bytes().decode("utf-8", "replace")
    return None


def _write_templates(moving: Moving, batch: Batch) -> None:
    lists = set(MailingList.objects.values_list("list_id", flat=True))
    for item in batch.items:
        row: Row = item.data
        name = _RENAMED.get(text(row["name"]), text(row["name"]))
        context, uri = text(row["context"]), text(row["uri"])
        if name not in ALL_NAMES:
            batch.impossible(item, "Mailman has no template of this name any more, and nothing reads it")
        elif row["texts"] is not None:
            batch.done(item, _keep_all(batch, item, name, context))
        elif row["file"] is not None:
            batch.done(item, keep(name, context, row["file"]))
        elif uri.startswith(("http://", "https://")):
            _keep_address(batch, item, name, f"list:{context}" if context in lists else context)
            batch.done(item)
        elif not uri:
            batch.done(item, keep(name, context, ""))
        else:
            batch.impossible(item, f"no text is found behind {uri}; ours is used")


def _keep_all(batch: Batch, item: Item, name: str, context: str) -> int:
    """The first text holds for all languages, as it did; others, if any, for their own. The key of the first."""
    first, *others = item.data["texts"]
    key = keep(name, context, first[1])
    for language, body in others:
        if is_language(language):
            keep(name, context, body, language)
        else:
            batch.impossible(item, "a second text, of a language Postroad does not have", f"language {language!r}")
    return key


def _keep_address(batch: Batch, item: Item, name: str, scope: str) -> None:
    """An address elsewhere; a credential in it is kept beside it."""
    row = item.data
    parts = urlsplit(text(row["uri"]))
    user, password = text(row["username"]) or None, text(row["password"]) or None
    if parts.username:
        user, password = unquote(parts.username), unquote(parts.password or "")
    host = parts.netloc.rpartition("@")[2]
    uri = parts._replace(netloc=host).geturl()
    if user is None or password is None:
        user = password = None
    set_uris(scope, {name: uri}, user, password)
    batch.mapped(
        item, f"to be fetched from {parts.scheme}://{host}/, put that under [templates] fetch_from in postroad.toml"
    )
