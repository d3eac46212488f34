"""Held posts and own texts of an old site, read a second time for `verify` (facts: core/mail-flow.md §27)."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from postroad.foundation.errors import BadInput
from postroad.upgrade.fingerprints import fingerprint, numbered, words_of
from postroad.upgrade.importing.pickles import load
from postroad.upgrade.mailman3.installation import Installation
from postroad.upgrade.mailman3.messages import NAMES
from postroad.upgrade.verifying import Thing

_SCOPES = {"site": 0, "domains": 1, "lists": 1}
"""Folders of template files, and how many folders name the scope in them."""


def held_posts(old: Installation) -> Iterator[Thing]:
    """By content: a number that was given here too is another one."""
    lists = {row["id"]: row["list_id"] for row in old.core.rows("mailinglist", ("id", "list_id"))}
    files = {}
    for row in old.core.rows("message", ("id", "message_id", "message_id_hash", "path")):
        digest = str(row["message_id_hash"])
        files[row["message_id"]] = str(row["path"] or Path(digest[:2], digest[2:4], digest))
    requests = [
        (str(row["id"]), lists.get(row["mailing_list_id"]), files.get(row["key"]))
        for row in old.core.rows("_request", ("id", "key", "mailing_list_id"))
    ]
    names = numbered((list_id, _content(old.paths["messages_dir"], file)) for _, list_id, file in requests)
    for (key, _, _), name in zip(requests, names, strict=True):
        yield Thing(name, "held posts", (key,))


def _content(folder: Path, file: str | None) -> str:
    """What a stored message says; nothing where it is gone or damaged."""
    try:
        return fingerprint(load((folder / file).read_bytes(), NAMES)) if file else ""
    except (OSError, BadInput):
        return ""


def own_texts(old: Installation) -> Iterator[Thing]:
    """Texts of files, and of templates that lead into the web half or into the files."""
    yield from _of_files(old)
    texts: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    columns = ("id", "name", "data", "language", "context", "identifier")
    for row in old.web.rows("postorius_emailtemplate", columns) if old.web is not None else ():
        scope = str(row["context"]), str(row["identifier"] or "").replace("@", "."), str(row["name"])
        texts.setdefault(scope, []).append((str(row["language"] or ""), str(row["data"] or "")))
    for row in old.core.rows("template", ("id", "name", "context", "uri")):
        parts = urlsplit(row["uri"] or "")
        found = texts.get(_place(parts.path), [])
        if parts.scheme == "mailman":
            found = [("", text) for text in _named_file(old.paths["template_dir"], parts.path, row["context"])]
        name = re.sub(r"^list:(?=(regular|digest):)", "list:member:", row["name"])
        for number, (language, text) in enumerate(found or ([] if parts.scheme else [("", "")])):
            scope = row["context"], name, language if number else ""
            yield Thing((*scope, words_of(text)), "templates", (str(row["id"]),))


def _place(path: str) -> tuple[str, str, str]:
    """The scope, its name and the template's, as the last parts of an address in the web half."""
    *_, scope, identifier, name = ("", "", *(unquote(part) for part in path.strip("/").split("/")))
    return scope, "" if scope == "site" else identifier.replace("@", "."), name


def _named_file(folder: Path, path: str, context: str | None) -> Iterator[str]:
    """The text behind `mailman:///SCOPE/LANGUAGE/FILE`: the first there is."""
    *scope, language, name = ("", *(unquote(part) for part in path.split("/") if part))
    owner = next(filter(None, scope), context or "")
    for place in (f"lists/{owner}", f"domains/{owner}", "site"):
        file = folder / place / language / name
        if file.is_file():
            yield file.read_text("utf-8", "replace")
            return


def _of_files(old: Installation) -> Iterator[Thing]:
    lists = {
        f"{row['list_name']}@{row['mail_host']}": row["list_id"]
        for row in old.core.rows("mailinglist", ("id", "list_id", "list_name", "mail_host"))
    }
    root = old.paths["template_dir"]
    for folder, _, names in os.walk(root):
        scope, *parts = Path(folder).relative_to(root).parts or ("",)
        if scope not in _SCOPES or len(parts) != _SCOPES[scope] + 1:
            continue
        owner = parts[0] if _SCOPES[scope] else ""
        for name in (Path(folder, name) for name in names if name.endswith(".txt") and ":" in name):
            text, key = words_of(name.read_text("utf-8", "replace")), str(name.relative_to(root))
            for footer in ("digest", "regular") if name.stem == "list:member:generic:footer" else ("",):
                of = name.stem.replace("generic", footer) if footer else name.stem
                if not footer or f"{of}.txt" not in names:
                    suffix = f":{of}" if footer else ""
                    yield Thing((lists.get(owner, owner), of, parts[-1], text), "template files", (key + suffix,))
