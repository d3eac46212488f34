"""Steps: the lists HyperKitty has archives of, the categories of threads, and the threads."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, TypeAlias

from postroad.community.lists import moving_in as lists
from postroad.community.lists.models import MailingList
from postroad.mailflow.archive import moving_in as archive
from postroad.upgrade.changed_here import LISTS, THREADS
from postroad.upgrade.gone_lists import TAKES_NO_POSTS
from postroad.upgrade.hyperkitty.originals import Originals
from postroad.upgrade.importing.plan import Batch, Item, Step, batches
from postroad.upgrade.mailman3.databases import PIECE, OldDatabase, Row
from postroad.upgrade.mailman3.installation import Installation
from postroad.upgrade.mailman3.values import ENUMS, EPOCH, moment, text

LONGEST_KEY = 32
ListKey: TypeAlias = "int | str"
"""How HyperKitty's tables name a list: by its number, and before 1.1.4 by its address."""
_LIST = (
    "name", "list_id", "display_name", "description", "subject_prefix", "archive_policy", "created_at",
    "archive_rendering_mode",
)  # fmt: skip


def lists_of(web: OldDatabase) -> Iterator[tuple[ListKey, Row]]:
    """HyperKitty's lists by their keys, with `address` and `list_id` as they are in the core, or would be."""
    key = "id" if "id" in web.columns("hyperkitty_mailinglist") else "name"
    for row in web.rows("hyperkitty_mailinglist", (key, *_LIST), key=(key,)):
        row["address"] = text(row["name"]).lower()
        row["list_id"] = (text(row["list_id"]) or row["address"].replace("@", ".", 1)).lower()
        yield row[key], row


class Archives:
    """HyperKitty's tables, and what all of its steps look up in them."""

    def __init__(self, web: OldDatabase, installation: Installation) -> None:
        self.web = web
        self._installation = installation

    @cached_property
    def lists(self) -> dict[ListKey, Row]:
        """Every archived list."""
        return dict(lists_of(self.web))

    @cached_property
    def here(self) -> dict[ListKey, int]:
        """HyperKitty's key of a list → the key of its row here; asked when the lists are here."""
        by_id = dict(MailingList.objects.values_list("list_id", "pk"))
        by_address = {f"{name}@{host}": pk for name, host, pk in
                      MailingList.objects.values_list("list_name", "mail_host", "pk")}  # fmt: skip
        found = {n: by_id.get(row["list_id"], by_address.get(row["address"])) for n, row in self.lists.items()}
        return {number: pk for number, pk in found.items() if pk is not None}

    @cached_property
    def originals(self) -> Originals:
        """Mails that are kept as they came."""
        names = {row["address"]: row["list_id"] for row in self.lists.values()}
        prototype = self._installation.paths["archive_dir"] / "prototype"
        return Originals(prototype, self._installation.mailboxes, names)

    def steps(self) -> tuple[Step, ...]:
        """In their order."""
        return (
            Step("archives", self._read_lists, self._write_lists, lambda: len(self.lists), rows=LISTS, size=50),
            Step("categories", self._read_categories, _write_categories),
            Step("threads", self._read_threads, self._write_threads, lambda: self.web.count("hyperkitty_thread"),
                 rows=THREADS, remove=archive.drop_empty_threads, lasting=True),
        )  # fmt: skip

    def _read_lists(self) -> Iterator[Item]:
        alive = {text(row["list_id"]).lower() for row in self._installation.core.rows("mailinglist", ("id", "list_id"))}
        for number, row in self.lists.items():
            row["is_alive"] = row["list_id"] in alive
            yield Item(str(number), row, row["address"])

    def _write_lists(self, batch: Batch) -> None:
        for item in batch.items:
            row: Row = item.data
            local, _, host = row["address"].rpartition("@")
            there = MailingList.objects.filter(list_id=row["list_id"]).first()
            there = there or MailingList.objects.filter(list_name=local, mail_host=host).first()
            if there is None:
                there = self._keep_archive_only(batch, item, local, host)
            if not row["is_alive"] and TAKES_NO_POSTS.items() <= there.settings.items():
                batch.mapped(
                    item, "the list itself was deleted in Mailman; here it is one that takes no posts, for its archive"
                )
            batch.done(item, there.pk)
        self.__dict__.pop("here", None)

    def _keep_archive_only(self, batch: Batch, item: Item, local: str, host: str) -> MailingList:
        """A list that the core does not know any more, for the sake of its archive."""
        row: Row = item.data
        policies = ENUMS["ArchivePolicy"]
        number = row["archive_policy"]
        values: dict[str, Any] = {
            "display_name": text(row["display_name"]) or local, "description": text(row["description"]),
            "subject_prefix": text(row["subject_prefix"]),
            "archive_policy": policies[number] if number in range(len(policies)) else "private",
            "archive_rendering_mode": text(row["archive_rendering_mode"]) or "text", **TAKES_NO_POSTS,
        }  # fmt: skip
        made, refused = lists.bring_list(
            lists.ListRecord(row["list_id"], local, host, moment(row["created_at"]) or EPOCH, values)
        )
        for name, why in refused:
            batch.impossible(item, why, name)
        return made

    # --- categories and threads

    def _read_categories(self) -> Iterator[Item]:
        for row in self.web.rows("hyperkitty_threadcategory", ("id", "name", "color")):
            yield Item(str(row["id"]), (text(row["name"]), text(row["color"])), text(row["name"]))

    def _read_threads(self) -> Iterator[Item]:
        names = {row["id"]: text(row["name"]) for row in self.web.rows("hyperkitty_threadcategory", ("id", "name"))}
        columns = ("id", "mailinglist_id", "thread_id", "date_active", "category_id")
        for rows in batches(self.web.rows("hyperkitty_thread", columns), PIECE):
            # HyperKitty leaves empty threads behind.
            filled = self.web.held("hyperkitty_email", "thread_id", [row["id"] for row in rows])
            for row in rows:
                if row["id"] in filled:
                    # When it was active last is told by its mails, so it is not part of what makes a thread another.
                    told = (row["mailinglist_id"], text(row["thread_id"]), names.get(row["category_id"], ""))
                    yield Item(str(row["id"]), told, told[1])

    def _write_threads(self, batch: Batch) -> None:
        good = []
        for item in batch.items:
            number, key, category = item.data
            if number not in self.here:
                batch.impossible(item, "its list is not here")
            elif len(key) > LONGEST_KEY:
                batch.impossible(item, f"a key of {len(key)} characters; at most {LONGEST_KEY} are possible")
            else:
                good.append((item, archive.Conversation(self.here[number], key, EPOCH, category)))
        for (item, _), key in zip(good, archive.bring_threads([c for _, c in good]), strict=True):
            batch.done(item, key)


def _write_categories(batch: Batch) -> None:
    for item in batch.items:
        batch.done(item)
        if item.data[1]:
            batch.mapped(item, "the name stays with its threads; colours are Postroad's own", f"colour {item.data[1]}")
