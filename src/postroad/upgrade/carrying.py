"""What became of mail since a snapshot is carried into it before it takes the database's place.

Going back undoes what people changed. It must not undo what happened to mail: nothing that was accepted may be lost,
and nobody may get again what was sent already. So the tables that tell where each mail stands are taken as they are.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from postroad.foundation.queue.envelope import Envelope, encode
from postroad.foundation.rows import marks

GROWING = ("storage_blob", "queue_step", "delivery_outbox")
"""Tables to which rows are only added."""
STANDING = (
    "delivery_dispatch", "delivery_chunk", "queue_job", "queue_task", "moderation_held", "digests_edition",
    "digests_post", "digests_issue", "notices_auto_response",
)  # fmt: skip
"""Tables that tell where mail stands, and who was written to."""
_COUNTED = (
    "last_post_at", "post_id", "volume", "next_digest_number", "digest_last_sent_at", "usenet_watermark",
    "next_request_id",
)  # fmt: skip
"""What a list counts while it works."""
_LIVE, _QUARANTINED = 0, 2
"""States of a job; its model cannot be had before Django is set up, as a rehearsal imports this."""
_UNKNOWN = "SELECT list_id FROM {live}.lists_list WHERE id NOT IN (SELECT id FROM {into}.lists_list)"


@dataclass(frozen=True, slots=True)
class Carried:
    """How many jobs and held posts stand as they stood, are archived again, or have lost their list."""

    waiting: int
    held: int
    archived_again: int
    stranded: int


@dataclass(frozen=True, slots=True)
class Carrying:
    """From schema `live` into the snapshot's, on either engine."""

    into: str
    live: str
    columns: Callable[[str, str], Sequence[str]]
    """Of a schema and a table; none if there is no such table."""
    rows: Callable[[str], Sequence[tuple[Any, ...]]]
    """What a statement finds."""
    write: Callable[[str, Sequence[Sequence[Any]]], object]
    """Does a statement for each of these rows of values."""
    epoch: str
    """Makes seconds since 1970 of a column's moment."""

    def carry(self) -> Carried:
        """Do it all, in the present transaction."""
        for table in GROWING:
            self._add(table, f"{self._key(table)} NOT IN (SELECT {self._key(table)} FROM {self.into}.{table})")  # noqa: S608
        for table in STANDING:
            self._replace(table)
        self._count_on()
        stranded, again = [*self._held_there()], [*self._archived_there()]
        self._put([*stranded, *again])
        self._quarantine()
        return Carried(
            waiting=self._number(f"{self.into}.queue_job WHERE state = {_LIVE}") - len(again),
            held=self._number(f"{self.into}.moderation_held"), archived_again=len(again),
            stranded=self._number(f"{self.into}.queue_job WHERE {self._of_unknown}"),
        )  # fmt: skip

    @property
    def _of_unknown(self) -> str:
        return f"list_id IN ({_UNKNOWN.format(live=self.live, into=self.into)})"

    def _number(self, what: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {what}")[0][0])  # noqa: S608 — all names here are ours

    @staticmethod
    def _key(table: str) -> str:
        return "key" if table == "storage_blob" else "id"

    def _shared(self, table: str) -> list[str]:
        """Columns that both have; the newer release may have added some."""
        there = self.columns(self.live, table)
        return [name for name in self.columns(self.into, table) if name in there]

    def _add(self, table: str, where: str) -> None:
        if shared := self._shared(table):
            names = ", ".join(f'"{name}"' for name in shared)
            given = " OVERRIDING SYSTEM VALUE" if self.into != "main" and "id" in shared else ""
            self.write(
                f"INSERT INTO {self.into}.{table} ({names}){given} SELECT {names} FROM {self.live}.{table}"  # noqa: S608
                f" WHERE {where}",
                [()],
            )

    def _replace(self, table: str) -> None:
        """All rows, but for those of lists that only one side has."""
        known = "mailing_list_id IN (SELECT id FROM {schema}.lists_list)"
        known = known if "mailing_list_id" in self._shared(table) else "1 = 1"
        if self._shared(table):
            where = known.format(schema=self.live)
            self.write(f"DELETE FROM {self.into}.{table} WHERE {where}", [()])  # noqa: S608
            self._add(table, known.format(schema=self.into))

    def _count_on(self) -> None:
        names = ", ".join(name for name in self._shared("lists_list") if name in _COUNTED)
        there = f"{self.live}.lists_list l WHERE l.id = s.id"
        self.write(
            f"UPDATE {self.into}.lists_list AS s SET ({names}) = (SELECT {names} FROM {there})"  # noqa: S608
            f" WHERE EXISTS (SELECT 1 FROM {there})",
            [()],
        )

    def _held_there(self) -> Iterator[dict[str, Any]]:
        """Jobs for posts that are held on lists the snapshot does not know."""
        for envelope, message_id, list_id in self.rows(
            f"SELECT h.envelope, h.message_id, l.list_id FROM {self.live}.moderation_held h"  # noqa: S608
            f" JOIN {self.live}.lists_list l ON l.id = h.mailing_list_id WHERE l.{self._of_unknown}"
        ):
            yield _job("moderation", bytes(envelope), list_id, message_id)

    def _archived_there(self) -> Iterator[dict[str, Any]]:
        """Jobs for what was archived since."""
        for message, message_id, list_id, size, at in self.rows(
            f"SELECT m.message, m.message_id, l.list_id, m.size, {self.epoch.format('m.archived_at')}"  # noqa: S608
            f" FROM {self.live}.archive_mail m JOIN {self.live}.lists_list l ON l.id = m.mailing_list_id"
            f" WHERE m.id NOT IN (SELECT id FROM {self.into}.archive_mail)"
        ):
            envelope = Envelope(
                journey=os.urandom(12).hex(), message=message, message_id=message_id, received_at=float(at), size=size,
                list_id=list_id,
            )  # fmt: skip
            yield _job("archive", encode(envelope), list_id, message_id)

    def _put(self, jobs: Sequence[dict[str, Any]]) -> None:
        """Queue jobs, with the columns that the former release has."""
        there = self.columns(self.into, "queue_job")
        names = [name for name in _job("", b"", "", "") if name in there]
        self.write(
            f"INSERT INTO {self.into}.queue_job ({', '.join(names)}) VALUES ({marks(len(names))})",  # noqa: S608
            [[job[name] for name in names] for job in jobs],
        )

    def _quarantine(self) -> None:
        """Stages would end mail of a list that is not here; somebody must decide."""
        self.write(
            f"UPDATE {self.into}.queue_job SET state = {_QUARANTINED}, error = 'Its list ' || list_id ||"  # noqa: S608
            f" ' is not here since the rollback: make it again and retry, or drop this.' WHERE {self._of_unknown}",
            [()],
        )


def _job(queue: str, envelope: bytes, list_id: str, message_id: str) -> dict[str, Any]:
    now = time.time()
    return {
        "queue": queue, "state": _LIVE, "due_at": now, "envelope": envelope, "attempts": 0, "deaths": 0, "claim": 0,
        "worker": "", "created_at": now, "list_id": list_id, "message_id": message_id[:998], "error": "",
    }  # fmt: skip
