"""Steps: votes, tags, favourites, and when readers last looked."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from postroad.mailflow.archive import moving_in as archive
from postroad.upgrade.changed_here import FAVORITES, TAGS, VOTES
from postroad.upgrade.importing.both_sides import Rows
from postroad.upgrade.importing.plan import Batch, Item, Step
from postroad.upgrade.mailman3.databases import OldDatabase
from postroad.upgrade.mailman3.values import EPOCH, moment, text

Bring = Callable[[Sequence[tuple[Any, ...]]], list[int]]


def steps(web: OldDatabase) -> tuple[Step, ...]:
    """In their order."""
    return (
        _step(web, "votes", "hyperkitty_vote", ("email_id", "value"), archive.bring_votes, archive.remove_votes,
              VOTES),
        Step("tags", lambda: _read_tags(web), lambda batch: _write(batch, "threads", archive.bring_tags),
             lambda: web.count("hyperkitty_tagging"), rows=TAGS, remove=archive.remove_tags),
        _step(web, "favourites", "hyperkitty_favorite", ("thread_id",), archive.bring_favorites,
              archive.remove_favorites, FAVORITES),
        _step(web, "last views", "hyperkitty_lastview", ("thread_id", "view_date"), archive.bring_views, None),
    )  # fmt: skip


def _step(
    web: OldDatabase, kind: str, table: str, columns: tuple[str, ...], bring: Bring,
    remove: Callable[[Sequence[int]], None] | None, rows: Rows | None = None,
) -> Step:  # fmt: skip
    """A table of what users did with mails or threads: whose it is, of what, and at most one value."""
    of = "archived mails" if columns[0] == "email_id" else "threads"
    return Step(
        kind, lambda: _read(web, table, columns), lambda batch: _write(batch, of, bring), lambda: web.count(table),
        rows=rows, remove=remove,
    )  # fmt: skip


def _read(web: OldDatabase, table: str, columns: tuple[str, ...]) -> Iterator[Item]:
    for row in web.rows(table, ("id", "user_id", *columns)):
        more = [moment(row[name]) or EPOCH if name == "view_date" else row[name] for name in columns[1:]]
        yield Item(str(row["id"]), (row[columns[0]], row["user_id"], *more))


def _read_tags(web: OldDatabase) -> Iterator[Item]:
    names = {row["id"]: text(row["name"]) for row in web.rows("hyperkitty_tag", ("id", "name"))}
    for row in web.rows("hyperkitty_tagging", ("id", "thread_id", "user_id", "tag_id")):
        yield Item(str(row["id"]), (row["thread_id"], row["user_id"], names.get(row["tag_id"], "")))


def _write(batch: Batch, of: str, bring: Bring) -> None:
    """Rows whose mail, thread or user is gone are told; the same twice is once."""
    things = batch.find(of, {str(item.data[0]) for item in batch.items})
    users = batch.find("web accounts", {str(item.data[1]) for item in batch.items})
    wanted: dict[tuple[Any, ...], list[Item]] = {}
    for item in batch.items:
        thing, user = things.get(str(item.data[0])), users.get(str(item.data[1]))
        if thing is None or user is None:
            batch.impossible(item, f"its {'user' if user is None else of.rstrip('s')} is not here")
            continue
        same = (thing, user, item.data[2]) if batch.kind == "tags" else (thing, user)
        wanted.setdefault(same, []).append(item)
    last = [(*same[:2], *items[-1].data[2:]) for same, items in wanted.items()]
    if batch.kind == "last views":
        last = [(*same, max(item.data[2] for item in items)) for same, items in wanted.items()]
    for items, key in zip(wanted.values(), bring(last) if last else [], strict=True):
        for item in items:
            batch.done(item, key)
        for item in items[:-1]:
            batch.mapped(item, "the same stands there twice; once is enough")
