"""Steps: lists with every setting, header checks, bans."""

from collections.abc import Iterator

from postroad.community.bans import actions as bans
from postroad.community.lists import moving_in as lists
from postroad.community.lists.models import MailingList
from postroad.foundation.errors import BadInput
from postroad.foundation.patterns import compile_pattern
from postroad.upgrade.changed_here import BANS, HEADER_CHECKS, LISTS
from postroad.upgrade.gone_lists import remove_lists
from postroad.upgrade.importing.plan import Batch, Item, Step, fingerprint_of
from postroad.upgrade.mailman2.old_list import OF_WORK, OldList
from postroad.upgrade.mailman2.settings import map_counters, map_settings
from postroad.upgrade.mailman2.site import OldSite

_ACTIONS = {0: None, 2: "reject", 3: "discard", 6: "accept", 7: "hold"}


def steps(site: OldSite) -> tuple[Step, ...]:
    """In their order."""
    return (
        Step("lists", lambda: _read_lists(site), _write_lists, size=20, rows=LISTS, remove=remove_lists, lasting=True),
        Step("counters of lists", lambda: _read_counters(site), _write_counters),
        Step(
            "header checks",
            lambda: _read_checks(site),
            _write_checks,
            size=20,
            rows=HEADER_CHECKS,
            remove=lists.remove_header_matches,
        ),
        Step("bans", lambda: _read_bans(site), _write_bans, rows=BANS, remove=bans.remove_bans),
    )


def _read_lists(site: OldSite) -> Iterator[Item]:
    """Each list, and each that cannot be read."""
    for old in site.lists():
        yield Item(old.name, old, old.list_id, old.fingerprint)
    for name, why in site.broken.items():
        yield Item(name, why)


def _write_lists(batch: Batch) -> None:
    for item in batch.items:
        if isinstance(item.data, str):
            batch.impossible(item, item.data)
            continue
        old: OldList = item.data
        mapped = map_settings(old)
        made, refused = lists.bring_list(
            lists.ListRecord(old.list_id, old.name, old.mail_host, old.created_at, mapped.values), item.target
        )
        batch.done(item, made.pk)
        if old.is_from_backup:
            batch.mapped(item, "config.pck is damaged: this is what config.pck.last says")
        for name, why in refused:
            batch.impossible(item, why, name)
        for name, outcome, why in mapped.notes:
            (batch.mapped if outcome == "mapped" else batch.impossible)(item, why, name)
        if any(old.table("passwords").values()):
            batch.mapped(item, "were readable there and are dropped; members sign in by a code in a mail", "passwords")


def _read_counters(site: OldSite) -> Iterator[Item]:
    for old in site.lists():
        told = fingerprint_of([old.get(name) for name in OF_WORK])
        yield Item(old.name, old, old.list_id, told)


def _write_counters(batch: Batch) -> None:
    for item, key in batch.of_lists():
        old: OldList = item.data
        made = MailingList.objects.get(pk=key)
        lists.bring_counters(made.pk, map_counters(old))
        lists.number_requests_beyond(made, int(old.number("next_request_id", 1)) - 1)
        batch.done(item, made.pk)


# --- header checks


def _read_checks(site: OldSite) -> Iterator[Item]:
    for old in site.lists():
        rules = old.get("header_filter_rules")
        if isinstance(rules, list | tuple) and rules:
            told = [(old.decode(rule[0]), int(rule[1])) for rule in rules if len(rule) > 1]
            yield Item(old.name, (old.list_id, told), old.list_id)


def _write_checks(batch: Batch) -> None:
    for item in batch.items:
        list_id, rules = item.data
        checks: dict[tuple[str, str], lists.Check] = {}
        for text, action in rules:
            if action not in _ACTIONS:
                batch.impossible(item, "its action (approve, subscribe or unsubscribe) is none for a post", text)
                continue
            for line in filter(None, (line.strip() for line in text.splitlines())):
                check = _check(line, _ACTIONS[action])
                if isinstance(check, str):
                    batch.impossible(item, check, line)
                else:
                    checks.setdefault((check.header, check.pattern), check)
        made = MailingList.objects.get(list_id=list_id)
        lists.bring_header_matches(made, list(checks.values()))
        batch.done(item, made.pk)


def _check(line: str, action: str | None) -> lists.Check | str:
    """One line of a rule, or why it cannot be one: header, colon, pattern, as far as a pattern over both says so."""
    at, mark = next(((line.find(mark), mark) for mark in (": ", ":.*", ":.", ":") if mark in line), (-1, ""))
    header = line[: max(at, 0)].strip().removeprefix("^").replace("\\", "").lower()
    if at < 0 or not header:
        return "it names no header, and is matched against nothing here"
    pattern = line[at + len(mark) :].strip() or ".*"
    try:
        compile_pattern(pattern)
    except BadInput as error:
        return f"its pattern is not valid: {error}"
    return lists.Check(header, pattern, action)


# --- bans


def _read_bans(site: OldSite) -> Iterator[Item]:
    for old in site.lists():
        for banned in dict.fromkeys(old.texts("ban_list")):
            yield Item(f"{old.name}:{banned}", (old.list_id, banned), f"{banned} on {old.list_id}")


def _write_bans(batch: Batch) -> None:
    there = MailingList.objects.in_bulk({item.data[0] for item in batch.items}, field_name="list_id")
    for item in batch.items:
        made, why = bans.bring_ban(item.data[1], there[item.data[0]])
        batch.done(item, made.pk)
        if why:
            batch.mapped(item, f"kept, but it bans nobody, as in Mailman: {why}")
