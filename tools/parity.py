"""The page docs/reference/parity.md: each thing Mailman 3.3.10 offers, and whether it is here the same or better."""

import re
from collections.abc import Iterator, Mapping

from mailman_surface import ENDPOINTS, ONLY_3_0, READ_ONLY, RESOURCES, SUBCOMMANDS, WEB_SUBCOMMANDS, WRITABLE

BETTER: Mapping[str, str] = {
    # addresses
    "/domains/{d}": "an unknown domain answers 404, not 500",
    "/domains": "an invalid owner answers 400, not 500; mail hosts are checked and lower-cased",
    "/lists": "an unknown style is refused; it made a list without settings",
    "/lists/find": "each list once, not once for each membership",
    "/lists/{l}/bans/{email-or-pattern}": "patterns cannot stop the site",
    "/lists/{l}/header-matches": "`defer` leaves the post to the other rules; it broke them",
    "/lists/{l}/header-matches/find": "pages work",
    "/lists/{l}/requests/{token}": "only requests of this list",
    "/members/find": "finds by a user's identifier too; delivery filters are done by the database",
    "/members/{id}/all/preferences": "`hide_address` is not missing",
    "/system/configuration/{section}": "no password is shown; what is no section answers 404",
    "/uris/{template}": "only what the site's owner allows is fetched, and a server that is away costs no mail",
    # attributes
    "max_days_to_hold": "discards; it did nothing",
    "digest_volume_frequency": "quarters have three months, weeks are ISO 8601's",
    "moderator_password": "an empty one is none",
    "subject_prefix": "any text, `[100%]` too",
    "process_bounces": "failures in the SMTP dialogue obey it too",
    "dmarc_mitigate_action": "policies by RFC 9989; an outage of DNS loses no post",
    "filter_action": "what is accepted is done",
    "preferred_language": "an unknown one is told as a wrong value, not as an unknown field",
    # subcommands
    "mailman members": "`-R any` works",
    "mailman remove": "with `-q` an unknown list is no traceback",
    "mailman info": "no credential is shown",
    "mailman aliases": "beside it, the MTA can ask live (guides/postfix.md)",
    "mailman findmember": "looks at every address of a user, not only the first",
    "mailman start": "the whole site is one service",
    "mailman gatenews": "runs when it is called; there it refuses to",
    "mailman inject": "metadata that nothing reads is refused",
    "mailman syncmembers": "who could not be added is not said to be",
    "mailman import21": "settings that were lost come along",
    "mailman-web migrate": "with a snapshot and a way back",
    "mailman-web createsuperuser": "the address counts as verified, so that one can sign in at once",
    "mailman-web rebuild_index": "the old index is searched meanwhile",
    # resources
    "HeldMessage.msg": "as it came, with the line ends of programs",
    "Member.display_name": "the address's where the user has none",
    "footer_uri": "is the template its name says; it was one that no mail reads",
    "header_uri": "is the template its name says; it was one that no mail reads",
    "digest_footer_uri": "is the template its name says; it was one that no mail reads",
    "digest_header_uri": "is the template its name says; it was one that no mail reads",
    "/plugins/{name}[/…]": "a WSGI application answers, no object inside Mailman",
}
"""What is better, and how."""
NOT_HERE: Mapping[str, str] = {
    "HeldMessage._parsemsg": "it is about Mailman's files",
    "HeldMessage.version": "it is about Mailman's files",
    "Plugin.configuration": "a plugin reads its own",
    "mailman-web runserver": "`postroad serve` serves the pages too, and the command says so",
}
"""What has no meaning here, and why."""
_WORDS = {"d": "mail_host", "l": "list_id", "u": "identifier", "e": "email", "id": "member_id", "filebase": "file",
          "email-or-pattern": "email", "fqdn": "rest"}


def page() -> str:
    """The whole page."""
    lines = ["# Parity with Mailman 3.3.10", "", *_INTRODUCTION.split("\n"), ""]
    lines += ["## REST", "", "| address | methods | |", "|---|---|---|", *_addresses(), ""]
    lines += ["## Attributes of a list's configuration", "", "| attribute | | |", "|---|---|---|", *_attributes(), ""]
    lines += ["## Attributes of other resources", "", "| resource | attribute | |", "|---|---|---|", *_keys(), ""]
    lines += ["## `mailman`", "", "| subcommand | |", "|---|---|", *_subcommands(), ""]
    lines += ["## `mailman-web`", "", "| subcommand | |", "|---|---|", *_web_subcommands(), ""]
    return "\n".join(lines)


_INTRODUCTION = """Made by `make reference`: the left side is what Mailman has, the right side is looked up in the code.
*same* means that it is here under its name, with its methods; that it answers alike is held by mailmanclient's own tests, by
Postorius in a browser and by tests of ours, not by this page. What is better is told in a few words here, and in
[rest-differences.md](rest-differences.md) and [mail-differences.md](mail-differences.md)."""


def _judged(name: str, *, is_here: bool) -> str:
    if name in NOT_HERE:
        return f"not here: {NOT_HERE[name]}"
    if not is_here:
        return "missing"
    return f"better: {BETTER[name]}" if name in BETTER else "same"


def _addresses() -> Iterator[str]:
    from postroad.project.rest_urls import documents

    for address, methods, only in ENDPOINTS:
        ours = documents("")[only or "3.1"]["paths"].get(_ours(address), {})
        is_here = all(method.lower() in ours for method in methods.split())
        shown = f"{methods}{f' (only {only})' if only else ''}"
        yield f"| `{address}` | {shown} | {_judged(address, is_here=is_here)} |"


def _ours(address: str) -> str:
    """Mailman's address in the words of our document."""
    whole = re.sub(r"\[.*?\]|/\{template\}\[.*", "", address) if "plugins" not in address else "/plugins/{rest}"
    if address.startswith("/templates"):
        return "/templates/{rest}"
    return re.sub(r"\{([\w-]+)\}", lambda match: "{%s}" % _WORDS.get(match[1], match[1]), whole)


def _attributes() -> Iterator[str]:
    from postroad.community.lists.config_api import exposed
    from postroad.project.rest_urls import documents

    for names, kind in ((WRITABLE, "writable"), (READ_ONLY, "read-only")):
        for name in names:
            setting = exposed().get(name)
            is_here = setting is not None and setting.read_only == (kind == "read-only")
            yield f"| `{name}` | {kind} | {_judged(name, is_here=is_here)} |"
    old = documents("")["3.0"]["components"]["schemas"]["ListConfiguration"]["properties"]
    for name in ONLY_3_0:
        yield f"| `{name}` | writable, only 3.0 | {_judged(name, is_here=name in old)} |"


def _subcommands() -> Iterator[str]:
    from postroad.project.mailman.cli import COMMANDS

    for name in SUBCOMMANDS:
        yield f"| `{name}` | {_judged('mailman ' + name, is_here=name in COMMANDS)} |"


def _keys() -> Iterator[str]:
    from postroad.project.rest_urls import documents

    schemas = documents("")["3.1"]["components"]["schemas"]
    for resource, keys in RESOURCES:
        for key in keys.split():
            is_here = key in schemas[resource]["properties"]
            yield f"| {resource} | `{key}` | {_judged(f'{resource}.{key}', is_here=is_here)} |"


def _web_subcommands() -> Iterator[str]:
    from postroad.project.mailman_web.cli import NOTHING_TO_DO, WebCommands

    for name in sorted({*WEB_SUBCOMMANDS, *WebCommands.subcommands}):
        judged = _judged(f"mailman-web {name}", is_here=name in WebCommands.subcommands)
        yield f"| `{name}` | {f'nothing to do: {NOTHING_TO_DO[name]}' if name in NOTHING_TO_DO else judged} |"
