"""Step: a list's own texts, those of its settings and those of its template files."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from postroad.community.notices.moving_in import remove_texts
from postroad.community.notices.own_texts import keep
from postroad.community.notices.templates import ALL_NAMES, built_in
from postroad.foundation.languages import is_language
from postroad.upgrade.changed_here import TEXTS
from postroad.upgrade.importing.plan import Batch, Item, Step
from postroad.upgrade.mailman2.old_list import OldList
from postroad.upgrade.mailman2.placeholders import template_text
from postroad.upgrade.mailman2.site import OldSite

_SETTINGS: Mapping[str, str] = MappingProxyType({
    "goodbye_msg": "list:user:notice:goodbye", "msg_header": "list:member:regular:header",
    "msg_footer": "list:member:regular:footer", "digest_header": "list:member:digest:header",
    "digest_footer": "list:member:digest:footer", "welcome_msg": "list:user:notice:welcome",
})  # fmt: skip
_FILES: Mapping[str, str] = MappingProxyType({
    "subscribeack": "list:user:notice:welcome", "postack": "list:user:notice:post",
    "postheld": "list:user:notice:hold", "postauth": "list:admin:action:post",
    "subauth": "list:admin:action:subscribe", "unsubauth": "list:admin:action:unsubscribe",
    "invite": "list:user:action:invite", "verify": "list:user:action:subscribe",
    "unsub": "list:user:action:unsubscribe", "refuse": "list:user:notice:refuse", "probe": "list:user:notice:probe",
    "disabled": "list:user:notice:warning", "bounce": "list:admin:notice:disable",
    "adminsubscribeack": "list:admin:notice:subscribe", "adminunsubscribeack": "list:admin:notice:unsubscribe",
    "masthead": "list:member:digest:masthead", "checkdbs": "list:admin:notice:pending",
})  # fmt: skip
_WELCOME = "subscribeack"
"""The template file with the place for `welcome_msg`."""
_IN_FILE = "in a file"
_MUST_HOLD = ("${confirm_url}",)
"""What a text that asks for an answer cannot do without, if ours has it."""
_USUAL_FOOTER = re.compile(
    r"[_\s-]*%\(real_name\)s mailing list\s+%\(real_name\)s@%\(host_name\)s\s+"
    r"%\(web_page_url\)slistinfo(?:%\(cgiext\)s)?/%\(_internal_name\)s\s*"
)


def steps(site: OldSite) -> tuple[Step, ...]:
    """The one step."""
    return (Step("texts", lambda: _read(site), _write, rows=TEXTS, remove=remove_texts),)


def _read(site: OldSite) -> Iterator[Item]:
    for old in site.lists():
        for source, name in _SETTINGS.items():
            if source in old.data:
                body = old.text(source)
                if source == "welcome_msg" and (old.folder / old.language / f"{_WELCOME}.txt").is_file():
                    name = _IN_FILE
                yield Item(f"{old.name}:{source}", (old.list_id, name, "", body), f"{source} of {old.list_id}")
        yield from _read_files(old)


def _read_files(old: OldList) -> Iterator[Item]:
    """Own templates lie in a folder for each language."""
    for folder in sorted(f for f in old.folder.iterdir() if f.is_dir()) if old.folder.is_dir() else ():
        for file in sorted([*folder.glob("*.txt"), *folder.glob("*.html")]):
            name = "" if file.suffix == ".html" else _FILES.get(file.stem, "")
            body = old.decode(file.read_bytes(), folder.name).replace("%(welcome)s", old.text("welcome_msg"))
            language = "" if folder.name == old.language else folder.name
            key = f"{old.name}:{folder.name}/{file.name}"
            yield Item(key, (old.list_id, name, language, body), f"{folder.name}/{file.name} of {old.list_id}")


def _write(batch: Batch) -> None:
    for item in batch.items:
        list_id, name, language, body = item.data
        template, unknown = template_text(body)
        if name == _IN_FILE:
            batch.mapped(item, f"the list's own {_WELCOME}.txt is used, with this where that has %(welcome)s")
            batch.done(item)
        elif name not in ALL_NAMES:
            batch.impossible(item, "Postroad has no such text: its pages are its own")
        elif language and not is_language(language):
            batch.impossible(item, f"{language} is not one of Postroad's languages")
        elif any(mark in built_in(name) and mark not in template for mark in _MUST_HOLD):
            batch.impossible(item, "without the address to confirm at, its reader could do nothing; ours is used")
        elif _is_usual(name, body):
            if item.target is not None:
                remove_texts([item.target])  # It had been another one.
            batch.done(item)
        else:
            if name == "list:user:notice:welcome" and not language and _WELCOME not in item.key:
                template = f"{template.strip()}\n\n{built_in(name)}"  # It stood inside of the usual text there.
            batch.done(item, keep(name, list_id, template, language))
            if unknown:
                batch.mapped(
                    item, f"nothing here stands for {', '.join(f'%({u})s' for u in unknown)}; it stays as text"
                )


def _is_usual(name: str, body: str) -> bool:
    """Whether it says what Mailman says by itself, or nothing where Postroad says nothing either."""
    if name.endswith(":footer"):
        return _USUAL_FOOTER.fullmatch(body) is not None
    return not body.strip() and (not built_in(name).strip() or ":notice:" in name)
