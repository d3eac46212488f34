"""Steps: domains, lists with every setting, header checks, bans."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from postroad.community.bans import actions as bans
from postroad.community.lists import moving_in as lists
from postroad.community.lists.models import MailingList
from postroad.community.lists.register import all_settings, writable
from postroad.community.people.old_hashes import from_passlib
from postroad.foundation.errors import BadInput
from postroad.foundation.languages import is_language
from postroad.upgrade.changed_here import BANS, DOMAINS, HEADER_CHECKS, LISTS
from postroad.upgrade.gone_lists import remove_lists
from postroad.upgrade.importing.plan import Batch, Item, Step, fingerprint_of
from postroad.upgrade.mailman3.databases import Row
from postroad.upgrade.mailman3.moving import Moving
from postroad.upgrade.mailman3.values import EPOCH, boolean, moment, octets, pattern, seconds, strings, text, word

_ENUMS: Mapping[str, str] = {
    "archive_policy": "ArchivePolicy", "archive_rendering_mode": "ArchiveRenderingMode",
    "autorespond_owner": "ResponseAction", "autorespond_postings": "ResponseAction",
    "autorespond_requests": "ResponseAction", "filter_action": "FilterAction",
    "forward_unrecognized_bounces_to": "UnrecognizedBounceDisposition",
    "dmarc_mitigate_action": "DMARCMitigateAction", "default_member_action": "Action",
    "default_nonmember_action": "Action", "digest_volume_frequency": "DigestFrequency",
    "newsgroup_moderation": "NewsgroupModeration", "personalize": "Personalization",
    "reply_goes_to_list": "ReplyToMunging", "member_roster_visibility": "RosterVisibility",
    "subscription_policy": "SubscriptionPolicy", "unsubscription_policy": "SubscriptionPolicy",
}  # fmt: skip
_LISTS = (
    "accept_these_nonmembers", "hold_these_nonmembers", "reject_these_nonmembers", "discard_these_nonmembers",
    "dmarc_addresses",
)  # fmt: skip
_DURATIONS = ("autoresponse_grace_period", "bounce_info_stale_after", "bounce_you_are_disabled_warnings_interval")
_COUNTERS: Mapping[str, Callable[[Any], Any]] = {
    "post_id": int, "volume": int, "next_digest_number": int, "usenet_watermark": int, "last_post_at": moment,
    "digest_last_sent_at": moment,
}  # fmt: skip
_WITHOUT_MEANING: Mapping[str, tuple[Any, str]] = {
    "encode_ascii_prefixes": (False, "prefixes are encoded only where they must be (RFC 2047)"),
    "forward_auto_discards": (True, "Mailman 3 forwards nothing either, whatever it says"),
    "scrub_nondigest": (False, "Mailman 3 does not read it either; see link_attachments_above"),
    "topics": ([], "Mailman 3 does not read them either: nobody gets mail by topic"),
    "topics_enabled": (False, "Mailman 3 does not read it either: nobody gets mail by topic"),
}
"""Columns nobody obeys there, the value that means nothing is lost, and why there is nothing to obey here."""
_TEXTS_OF_CODE = ("posting_chain", "owner_chain", "posting_pipeline", "owner_pipeline")


def steps(moving: Moving) -> tuple[Step, ...]:
    """In their order; domains again at the end, when their owners are here."""
    core = moving.core
    return (
        Step("domains", lambda: _read_domains(moving), _write_domains, lambda: core.count("domain"),
             rows=DOMAINS, remove=lists.remove_domains, lasting=True),
        Step("lists", lambda: _read_lists(moving), _write_lists, lambda: core.count("mailinglist"), size=50,
             rows=LISTS, remove=remove_lists, lasting=True),
        Step("counters of lists", lambda: _read_counters(moving), _write_counters, lambda: core.count("mailinglist")),
        Step("header checks", lambda: _read_checks(moving), _write_checks, size=50,
             rows=HEADER_CHECKS, remove=lists.remove_header_matches),
        Step("bans", lambda: _read_bans(moving), _write_bans, lambda: core.count("ban"), rows=BANS,
             remove=bans.remove_bans),
    )  # fmt: skip


# --- domains


def _read_domains(moving: Moving) -> Iterator[Item]:
    owners = defaultdict(list)
    for row in moving.core.rows("domain_owner", ("user_id", "domain_id"), key=("user_id", "domain_id")):
        owners[row["domain_id"]].append(row["user_id"])
    for row in moving.core.rows("domain", ("id", "mail_host", "description", "alias_domain", "base_url")):
        row["owners"] = sorted(owners[row["id"]])
        yield Item(str(row["id"]), row, text(row["mail_host"]))


def _write_domains(batch: Batch) -> None:
    users = batch.find("users", {str(user) for item in batch.items for user in item.data["owners"]})
    for item in batch.items:
        row: Row = item.data
        owners = [users[str(user)] for user in row["owners"] if str(user) in users]
        if len(owners) < len(row["owners"]):
            batch.impossible(item, "is not here", "an owner")
        domain = lists.bring_domain(
            text(row["mail_host"]), description=text(row["description"]) or None,
            alias_domain=text(row["alias_domain"]) or None, base_url=text(row["base_url"]) or None, owners=owners,
        )  # fmt: skip
        batch.done(item, domain.pk)


# --- lists


def _read_lists(moving: Moving) -> Iterator[Item]:
    core = moving.core
    aliases: dict[int, list[str]] = defaultdict(list)
    filters: dict[int, list[tuple[int, str]]] = defaultdict(list)
    archivers: dict[int, dict[str, bool]] = defaultdict(dict)
    for row in core.rows("acceptablealias", ("mailing_list_id", "alias")):
        aliases[row["mailing_list_id"]].append(text(row["alias"]))
    for row in core.rows("contentfilter", ("mailing_list_id", "filter_type", "filter_pattern")):
        filters[row["mailing_list_id"]].append((row["filter_type"], text(row["filter_pattern"])))
    for row in core.rows("listarchiver", ("mailing_list_id", "name", "_is_enabled")):
        archivers[row["mailing_list_id"]][text(row["name"])] = bool(row["_is_enabled"])
    for row in core.rows("mailinglist", sorted(core.columns("mailinglist"))):
        row["acceptable_aliases"] = sorted(aliases[row["id"]])
        row["filters"] = filters[row["id"]]
        row["archivers"] = archivers[row["id"]]
        # With every post a list counts on, which must not put back what was set here meanwhile.
        told = fingerprint_of(sorted((name, value) for name, value in row.items() if name not in _COUNTERS))
        yield Item(str(row["id"]), row, text(row["list_id"]), told)


def _read_counters(moving: Moving) -> Iterator[Item]:
    for row in moving.core.rows("mailinglist", ("id", "list_id", *_COUNTERS)):
        yield Item(str(row["id"]), row, text(row["list_id"]))


def _write_counters(batch: Batch) -> None:
    for item, key in batch.of_lists():
        row: Row = item.data
        lists.bring_counters(key, {name: read(row[name]) for name, read in _COUNTERS.items() if row[name] is not None})
        batch.done(item, key)


def _write_lists(batch: Batch) -> None:
    for item in batch.items:
        row: Row = item.data
        values = _values(batch, item)
        record = lists.ListRecord(
            list_id=text(row["list_id"]) or f"{text(row['list_name'])}.{text(row['mail_host'])}",
            list_name=text(row["list_name"]), mail_host=text(row["mail_host"]),
            created_at=moment(row["created_at"]) or EPOCH, values=values,
            archivers=_archivers(batch, item),
        )  # fmt: skip
        made, refused = lists.bring_list(record, item.target)
        batch.done(item, made.pk)
        for name, why in refused:
            batch.impossible(item, why, name)


def _archivers(batch: Batch, item: Item) -> dict[str, bool]:
    """Those that Postroad knows; the archive itself stands for HyperKitty."""
    known = ("hyperkitty", "mail-archive", "mhonarc", "prototype")
    for name in sorted(set(item.data["archivers"]) - set(known)):
        if item.data["archivers"][name]:
            batch.impossible(item, "an archiver that a plugin of the old site brought", f"archiver {name}")
    return {name: on for name, on in item.data["archivers"].items() if name in known}


def _values(batch: Batch, item: Item) -> dict[str, Any]:
    """The list's settings as the register has them; null means that the style's value counts."""
    row: Row = item.data
    found: dict[str, Any] = {"acceptable_aliases": row["acceptable_aliases"], **_filters(row["filters"])}
    for name in writable():
        if name in found or row.get(name) is None or name in _WITHOUT_MEANING:
            continue
        try:
            found[name] = _value(name, row[name])
        except BadInput as error:
            batch.impossible(item, str(error), name)
    if "preferred_language" in found and not is_language(found["preferred_language"]):
        batch.mapped(item, f"{found.pop('preferred_language')} is not one of Postroad's languages; English is used",
                     "preferred_language")  # fmt: skip
    _name_hosts(batch, item, found)
    if row.get("moderator_password"):
        _password(batch, item, found)
    for name in _TEXTS_OF_CODE:
        if name in found and found[name] not in writable()[name].choices:
            batch.impossible(item, f"{found.pop(name)} came from a plugin of the old site; ours is used", name)
    if found.get("digest_is_default"):
        batch.mapped(item, "Mailman 3 did not obey it; here new members get digests unless they say otherwise",
                     "digest_is_default")  # fmt: skip
    if found.get("personalize") == "none":
        found["personalize"] = "individual"
        batch.mapped(item, lists.OWN_COPIES, "personalize")
    for name, (nothing, why) in _WITHOUT_MEANING.items():
        value = strings(row[name]) if name == "topics" and row.get(name) is not None else row.get(name)
        if value is not None and value != nothing and value:
            batch.impossible(item, why, name)
    return found


def _name_hosts(batch: Batch, item: Item, found: dict[str, Any]) -> None:
    """`@dev` means the members of the list `dev` of the same host; here the host stands there."""
    name = "accept_these_nonmembers"
    for number, entry in enumerate(found.get(name, ())):
        if entry.startswith("@") and "@" not in entry[1:]:
            found[name][number] = f"{entry}@{text(item.data['mail_host'])}"
            batch.mapped(item, f"{entry} is {found[name][number]}", name)


def _value(name: str, value: Any) -> Any:
    """One setting, typed as the register has it."""
    kind = all_settings()[name].kind
    if name in _ENUMS:
        return word(_ENUMS[name], value)
    if name in _LISTS:
        return [pattern(entry) for entry in strings(value)]
    if name in _DURATIONS:
        return seconds(value)
    if kind == "bool":
        return boolean(value)
    if kind in ("int", "float"):
        return value
    return text(value)


def _filters(filters: list[tuple[int, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in ("filter_types", "pass_types", "filter_extensions",
                                                         "pass_extensions")}  # fmt: skip
    for number, kept in filters:
        found[word("FilterType", number) or ""].append(kept)
    return found


def _password(batch: Batch, item: Item, found: dict[str, Any]) -> None:
    old = text(octets(item.data["moderator_password"]))
    found["moderator_password"] = from_passlib(old) or None
    if not found["moderator_password"]:
        batch.impossible(item, "its hash is of a kind nobody can check; set a new one", "moderator_password")


# --- header checks


def _read_checks(moving: Moving) -> Iterator[Item]:
    checks: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    columns = ("mailing_list_id", "position", "header", "pattern", "chain", "tag")
    for row in moving.core.rows("headermatch", columns):
        position = row["position"] if row["position"] is not None else len(checks[row["mailing_list_id"]])
        checks[row["mailing_list_id"]].append(
            (position, text(row["header"]), pattern(row["pattern"]), row["chain"], row["tag"])
        )
    for row in moving.core.rows("mailinglist", ("id", "list_id", "header_matches")):
        if not checks[row["id"]] and row["header_matches"] is not None and not moving.core.has("headermatch"):
            pairs = strings(row["header_matches"])  # Mailman 3.0 kept them in the list's own row.
            checks[row["id"]] = [(n, text(pair[0]), text(pair[1]), None, None) for n, pair in enumerate(pairs)]
        if checks[row["id"]]:
            yield Item(str(row["id"]), sorted(checks[row["id"]], key=lambda c: c[0]), text(row["list_id"]))


def _write_checks(batch: Batch) -> None:
    found = list(batch.of_lists())
    there = MailingList.objects.in_bulk([key for _, key in found])
    for item, key in found:
        checks = [
            lists.Check(header, pattern, text(chain) or None, text(tag) or None)
            for _, header, pattern, chain, tag in item.data
        ]
        for name, why in lists.bring_header_matches(there[key], checks):
            batch.mapped(item, f"kept, but it matches nothing, as with newer releases of Mailman: {why}", name)
        batch.done(item, key)


# --- bans


def _read_bans(moving: Moving) -> Iterator[Item]:
    for row in moving.core.rows("ban", ("id", "email", "list_id")):
        where = text(row["list_id"])
        yield Item(str(row["id"]), (pattern(row["email"]), where), f"{text(row['email'])} on {where or 'the site'}")


def _write_bans(batch: Batch) -> None:
    lists_there = MailingList.objects.in_bulk([i.data[1] for i in batch.items if i.data[1]], field_name="list_id")
    for item in batch.items:
        email, list_id = item.data
        if list_id and list_id not in lists_there:
            batch.impossible(item, "the list is gone, in Mailman too")
            continue
        made, why = bans.bring_ban(email, lists_there.get(list_id))
        batch.done(item, made.pk)
        if why:
            batch.mapped(item, f"kept, but it bans nobody, as with newer releases of Mailman: {why}")
