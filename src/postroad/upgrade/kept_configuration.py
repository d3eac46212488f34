"""What an import writes into the home's `postroad.toml`: the old mailman.cfg, and whether the old site lives on."""

import re

from postroad.community.lists.models import MailingList
from postroad.foundation.configuration import Configuration, without_first_values, write_private
from postroad.foundation.mailman_cfg import MailmanCfg, mapped

_KEPT_NAME = "mailman.cfg"
_SHADOW = "shadow = true"


def keep_configuration(cfg: MailmanCfg, configuration: Configuration, *, is_cut_over: bool) -> str:
    """Copy mailman.cfg into the home and name it in postroad.toml, where it counts for what that does not say.

    What stands there only because the file was made with it gives way. A site that has lists of its own, and so is no
    shadow, does it with the cut-over: before that the MTA's files are the living Mailman's. Answers with a sentence
    about what was done; empty if one is named there already.
    """
    if configuration.site.mailman_cfg:
        return ""
    if not is_cut_over and not configuration.site.shadow and MailingList.objects.exists():
        return f"there are lists here already, so what {cfg.file} says of the site counts here from the cut-over on"
    kept = configuration.home / _KEPT_NAME
    write_private(kept, cfg.file.read_text(encoding="utf-8", errors="replace"), anew=True)
    toml = without_first_values(configuration.file.read_text(encoding="utf-8"), mapped(cfg))
    write_private(configuration.file, _with_line(toml, f'mailman_cfg = "{kept}"'), anew=True)
    return f"{cfg.file} is kept as {kept}; what it says counts where {configuration.file.name} is silent"


def begin_shadow(configuration: Configuration) -> str:
    """Before a first import into a home without lists: the old site lives on, and this one is its shadow.

    Answers with a sentence about it; empty where it is none.
    """
    if configuration.site.shadow or MailingList.objects.exists():
        return ""
    write_private(configuration.file, _with_line(configuration.file.read_text(encoding="utf-8"), _SHADOW), anew=True)
    return (
        "the old site lives on and this one is its shadow until an import with --cut-over: it sends no digests and"
        " reminders, fetches no news, and leaves the MTA's files alone"
    )


def end_shadow(configuration: Configuration) -> str:
    """After the cut-over: this is the site now. Answers with a sentence about it; empty where it was no shadow."""
    toml = configuration.file.read_text(encoding="utf-8")
    changed = re.sub(rf"(?m)^{_SHADOW}\n", "", toml)
    if changed == toml:
        return ""
    write_private(configuration.file, changed, anew=True)
    return "this site is no shadow any more; restart the service if it runs, so that it does all of its work"


def _with_line(toml: str, line: str) -> str:
    """The file with a line in its section `[site]`."""
    changed = re.sub(r"(?m)^\[site\]\s*$", lambda _: f"[site]\n{line}", toml, count=1)
    return changed if changed != toml else f"{toml.rstrip()}\n\n[site]\n{line}\n"
