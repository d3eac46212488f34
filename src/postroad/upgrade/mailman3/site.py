"""Step: what mailman.cfg says of the whole site."""

from collections.abc import Iterator, Mapping

from postroad.foundation.errors import BadInput
from postroad.foundation.mailman_cfg import LISTENERS, MAPPED
from postroad.mailflow.delivery import signing_keys
from postroad.upgrade.importing.plan import Batch, Item, Step
from postroad.upgrade.mailman3.installation import Installation
from postroad.upgrade.mailman3.moving import Moving

_NOT_NEEDED = (
    "paths.", "logging.", "runner.", "database", "devmode", "shell", "archiver.", "passwords", "webservice", "plugin.",
)  # fmt: skip
"""Sections about how the old program ran; nothing of the site is in them but listeners, which are mapped."""
_INSTEAD: Mapping[str, str] = {
    "ARC.authserv_id": "Postroad calls itself by the domain of [site] owner; it believes only trusted_authserv_ids",
    "ARC.d": "DKIM and DMARC are always looked at; the domain is that of the key",
    "ARC.selector": "it is the key's",
    "ARC.sig_headers": "Postroad signs the fields that RFC 6376 and RFC 8617 ask for",
    "dmarc.resolver": "this is [dns] timeout_seconds and lifetime_seconds in postroad.toml",
    "dmarc.": "policies are asked for when they are needed; nothing is downloaded and kept",
    "mailman.cache_life": "texts fetched from elsewhere are kept as long as their server says",
    "mailman.filtered_messages_are_preservable": "lists whose filter_action says so keep what was filtered",
    "mailman.html_to_plain_text_command": "HTML becomes plain text without another program",
    "mailman.anonymous_list_keep_headers": "anonymous lists keep the fields that say nothing of the author",
    "mailman.": "about how the old program ran; not needed",
    "mta.incoming": "this is [maps] files in postroad.toml, and taken over for Postfix and Exim",
    "mta.configuration": "what it says of the files for Postfix is taken over as [maps]",
    "mta.verp_personalized_deliveries": "every copy is its recipient's own on a list whose personalize is not none",
    "mta.verp_delivery_interval": "every copy is its recipient's own on a list whose personalize is not none",
    "mta.verp_confirmations": "the secret of a confirmation stands in its return address always",
    "mta.max_": "how much goes to the relay at once finds itself; [smtp] connections is the most",
    "mta.": "about how the old program spoke to the relay; not needed",
    "digests.": "the keys of digests that Postroad knows stand under [mail] in postroad.toml",
}
"""Keys, or how a family of keys begins; the longest that fits counts."""


def steps(moving: Moving) -> tuple[Step, ...]:
    """The one step."""
    return (Step("site settings", lambda: _read(moving), lambda batch: _write(moving, batch)),)


def _read(moving: Moving) -> Iterator[Item]:
    cfg = moving.installation.cfg
    for section, keys in cfg.sections.items() if cfg else ():
        for key, value in keys.items():
            yield Item(f"{section}.{key}", (section, key, value.strip()), f"[{section}] {key}")


def _write(moving: Moving, batch: Batch) -> None:
    listeners = {(section, key) for section, host, port in LISTENERS.values() for key in (host, port)}
    for item in batch.items:
        section, key, value = item.data
        batch.done(item)
        if (section, key) in MAPPED or (section, key) in listeners or not value:
            continue
        if (section, key) == ("ARC", "privkey"):
            _bring_key(moving.installation, batch, item)
        elif section.startswith("language."):
            batch.mapped(item, "languages and their character sets are Postroad's own")
        elif section.startswith(_NOT_NEEDED):
            batch.mapped(item, "about how the old program ran; not needed")
        elif instead := _instead(f"{section}.{key}"):
            batch.mapped(item, instead)
        else:
            batch.impossible(item, "Postroad has no such setting; `postroad config` shows the ones there are")


def _bring_key(installation: Installation, batch: Batch, item: Item) -> None:
    """Go on signing with the key that DNS tells already."""
    cfg = installation.cfg
    assert cfg is not None  # The item comes from it.
    domain, selector = cfg.get("ARC", "domain"), cfg.get("ARC", "selector")
    if cfg.get("ARC", "enabled") != "yes":
        batch.mapped(item, "ARC was switched off; `postroad dkim make` makes a key")
        return
    try:
        file = installation.here(cfg.filled(cfg.get("ARC", "privkey")))
        signing_keys.bring(domain, selector, file.read_bytes())
    except (OSError, BadInput) as error:
        batch.impossible(item, f"the key was not taken over: {error}; `postroad dkim make` makes another")
    else:
        batch.mapped(item, f"key {selector} of {domain} signs from now on, as DKIM too; `postroad dkim show` shows it")


def _instead(name: str) -> str:
    fits = [key for key in _INSTEAD if name.startswith(key)]
    return _INSTEAD[max(fits, key=len)] if fits else ""
