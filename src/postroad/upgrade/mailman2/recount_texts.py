"""Own texts of an old list, read a second time for `verify`: those of its settings and those of its folders."""

import re
from collections.abc import Iterator
from pathlib import Path

from postroad.community.notices.templates import built_in
from postroad.upgrade.fingerprints import words_of
from postroad.upgrade.mailman2.recount import Old
from postroad.upgrade.mailman2.recount_settings import without_places
from postroad.upgrade.verifying import Thing

_WELCOME = "list:user:notice:welcome"
_SETTINGS = (
    ("welcome_msg", _WELCOME), ("goodbye_msg", "list:user:notice:goodbye"),
    ("msg_header", "list:member:regular:header"), ("msg_footer", "list:member:regular:footer"),
    ("digest_header", "list:member:digest:header"), ("digest_footer", "list:member:digest:footer"),
)  # fmt: skip
_NAMES = """
    subscribeack=user:notice:welcome postack=user:notice:post postheld=user:notice:hold postauth=admin:action:post
    subauth=admin:action:subscribe unsubauth=admin:action:unsubscribe invite=user:action:invite
    verify=user:action:subscribe unsub=user:action:unsubscribe refuse=user:notice:refuse probe=user:notice:probe
    disabled=user:notice:warning bounce=admin:notice:disable adminsubscribeack=admin:notice:subscribe
    adminunsubscribeack=admin:notice:unsubscribe masthead=member:digest:masthead checkdbs=admin:notice:pending
"""
"""Template files, and what they are called here, without `list:`."""
_FILES = dict(pair.split("=") for pair in _NAMES.split())
_USUAL_FOOTER = "mailinglistlistinfo"
"""The letters of the footer that Mailman made for each list, without its placeholders."""


def own_texts(old: Old) -> Iterator[Thing]:
    """Each that says something else than Mailman says by itself; placeholders are written another way here."""
    for attribute, name in _SETTINGS:
        text = old.text(old.data.get(attribute))
        if attribute in old.data and not _is_usual(name, text):
            if attribute == "welcome_msg":  # It stood inside of the usual text there.
                text += built_in(_WELCOME)
            yield _thing(old, name, "", text, attribute)
    for folder in filter(Path.is_dir, old.folder.iterdir()):
        language = "" if folder.name == old.language else folder.name
        for file in (*folder.glob("*.txt"), *folder.glob("*.html")):
            name = f"list:{_FILES.get(file.stem, '')}" if file.suffix == ".txt" else ""
            text = old.text(file.read_bytes(), folder.name)
            text = text.replace("%(welcome)s", old.text(old.data.get("welcome_msg")))
            if not _is_usual(name, text):
                yield _thing(old, name, language, text, f"{folder.name}/{file.name}")


def _thing(old: Old, name: str, language: str, text: str, key: str) -> Thing:
    content = words_of(letters_of(without_places(text)))
    return Thing((old.list_id, name, language, content), "texts", (f"{old.name}:{key}",))


def letters_of(text: str) -> str:
    """What is left of a text without its marks: two placeholders there with a sign between them are one here."""
    return re.sub(r"[\W_]+", "", text).lower()


def _is_usual(name: str, text: str) -> bool:
    """What Mailman made for each list; and a text that says nothing, but for a footer, which there is none then."""
    if name.endswith(":footer"):
        return letters_of(re.sub(r"%\(\w+\)s", "", text)) == _USUAL_FOOTER
    return not text.strip()
