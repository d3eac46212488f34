"""Runs the steps of an importer: passes over what is here, writes the rest in batches, takes away what is gone."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from multiprocessing import get_context
from operator import attrgetter
from typing import Any

from django.db import DatabaseError, DataError, IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from postroad.foundation.configuration import current
from postroad.foundation.errors import PostroadError
from postroad.foundation.instance import alone
from postroad.foundation.queue.precedence import patient
from postroad.upgrade.importing.both_sides import Values, compare, digest_of
from postroad.upgrade.importing.helping import end_with_parent
from postroad.upgrade.importing.models import ImportClash, ImportedObject, ImportNote, ImportSource
from postroad.upgrade.importing.plan import Batch, ImportStopped, Item, Note, Step, batches, chunks, storable
from postroad.upgrade.importing.progress import Progress, Told
from postroad.upgrade.importing.report import Kind, Report
from postroad.upgrade.importing.seen import Gone, Seen
from postroad.upgrade.importing.trial import thrown_away

log = logging.getLogger("postroad.importing")

_UPSERT = (
    "INSERT INTO importing_object (source_id, kind, key, fingerprint, target, digest) VALUES (%s, %s, %s, %s, %s, %s)"
    " ON CONFLICT (source_id, kind, key) DO UPDATE SET fingerprint = excluded.fingerprint, target = excluded.target,"
    " digest = excluded.digest"
)
_REMOVED = "was removed here since it came, or decided, or expired; it stays so"


def run(
    name: str, steps: Sequence[Step], progress: Progress, *, dry_run: bool = False, jobs: int = 1,
    take_away: bool = False,
) -> Report:  # fmt: skip
    """Bring in everything there is in a source, known by a name that is the same in every run.

    With `take_away` what is gone there goes here, however much it is.

    Raises:
        Conflict: another import into this home runs.
        ImportStopped: source or database cannot be used just now; what is written stays, a second run goes on.
    """
    name = storable(name)
    report = Report(name, dry_run=dry_run)
    here = alone(current().home, "import", "another `postroad import` into this home runs just now")
    with here, thrown_away() if dry_run else nullcontext(), _pool(jobs, steps) as pool:
        _map_nothing()
        with _named("beginning", name):
            source, _ = ImportSource.objects.update_or_create(name=name, defaults={"last_at": timezone.now()})
            runs = [_Run(source, step, pool, jobs, in_turn=not dry_run, take_away=take_away) for step in steps]
        for run in runs:
            with progress.step(run.step) as told, _named(run.step.kind, name):
                report.kinds.append(run.run(told))
        # What is gone goes when everything has its new place, and what hangs on others before them.
        for run in reversed(runs):
            with _named(run.step.kind, name):
                run.remove_gone()
        with _named("end", name):
            ImportSource.objects.filter(pk=source.pk).update(finished_at=timezone.now())
        report.notes.add(source.notes.order_by("pk").values_list("kind", "name", "outcome", "why").iterator())
        report.add_clashes(
            source.clashes.order_by("pk").values_list("kind", "name", "part", "here_it_was", "it_is").iterator()
        )
    return report


def _map_nothing() -> None:
    """Read an SQLite file plainly: what is mapped of it, up to 256 MB, would count as memory of this process."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA mmap_size=0")


@contextmanager
def _pool(jobs: int, steps: Sequence[Step]) -> Iterator[Executor | None]:
    """Processes that prepare, where that is wanted; new ones, not forks: this one has a connection."""
    if jobs < 2 or not any(step.prepare for step in steps):
        yield None
        return
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _named(what: str, source: str) -> Iterator[None]:
    """What stops an import says where it was, and that nothing is lost."""
    try:
        yield
    except (DatabaseError, OSError) as error:
        if isinstance(error, DataError | IntegrityError):
            raise
        raise ImportStopped(
            f"{what} of {source}: {str(error).strip() or type(error).__name__}. What was written until then stays"
            " and nothing is there by halves; when this is mended, call the same command again and it goes on."
        ) from error


_octets = attrgetter("octets")
_FEW = 20
"""Of so few objects all but one may go."""
_MOST_GONE = 0.25
"""The part of many that may be gone at once."""


class _Run:
    """One step of one run."""

    def __init__(
        self, source: ImportSource, step: Step, pool: Executor | None, jobs: int, *, in_turn: bool, take_away: bool
    ) -> None:  # fmt: skip
        self._source, self.step, self._jobs, self._in_turn = source, step, jobs, in_turn
        self._take_away = take_away
        self._pool = pool if step.prepare else None
        self._counts = Kind(step.kind)
        self._seen = Seen(self._brought)
        self._removed = step.rows.removed(self._brought) if step.rows is not None else set()

    @property
    def _brought(self) -> "QuerySet[ImportedObject]":
        return ImportedObject.objects.filter(source=self._source, kind=self.step.kind)

    @property
    def _turn(self) -> AbstractContextManager[None]:
        return patient() if self._in_turn else nullcontext()

    def run(self, told: Told) -> Kind:
        """Bring what is new or changed, and see what is gone."""
        with self._turn:
            self._source.notes.filter(kind=self.step.kind, outcome="removed").delete()
        for read, fresh, prepared in self._read_ahead():
            if fresh:
                for item, data in zip(fresh, prepared() if prepared else [i.data for i in fresh], strict=True):
                    item.data = data
                self._write(fresh)
            told.advance(read)
        if self.step.lasting and not self._take_away:
            self._refuse_emptied(told.total)
        return self._counts

    def _read_ahead(self) -> "Iterator[tuple[int, list[Item], Any]]":
        """How many were read, those that are new or changed, and what gives them prepared.

        With other processes at hand, some batches are prepared there while this one writes.
        """
        waiting: deque[tuple[int, list[Item], Any]] = deque()
        for items in batches(self.step.read(), self.step.size, _octets):
            read = len(items)
            for fresh in self._pieces(self._fresh(items)):
                waiting.append((read, fresh, self._preparing(fresh)))
                read = 0
                if self._pool is None or len(waiting) > self._jobs + 1:
                    yield waiting.popleft()
        yield from waiting

    def _pieces(self, fresh: list[Item]) -> Sequence[list[Item]]:
        """As many at a time as may be fetched together; none at all is a piece, too."""
        if not fresh or self.step.weigh is None:
            return [fresh]
        self.step.weigh(fresh)
        return list(batches(fresh, len(fresh), _octets))

    def _preparing(self, fresh: list[Item]) -> Any:
        prepare = self.step.prepare
        if fresh and self.step.fetch is not None:
            self.step.fetch(fresh)
        if not fresh or prepare is None:
            return None
        data = [item.data for item in fresh]
        if self._pool is None:
            return lambda: prepare(data)
        future: Future[list[Any]] = self._pool.submit(prepare, data)
        return future.result

    def _fresh(self, items: Sequence[Item]) -> list[Item]:
        """The objects that are new, or another than last time."""
        known = {
            key: (pk, fingerprint, target)
            for keys in chunks([item.key for item in items])
            for key, pk, fingerprint, target in self._brought.filter(key__in=keys).values_list(
                "key", "pk", "fingerprint", "target"
            )
        }
        fresh, removed = [], []
        for item in items:
            pk, fingerprint, item.target = known.get(item.key, (None, None, None))
            if pk is not None:
                self._seen.add(pk)
            if pk in self._removed:
                removed.append(item)
            elif fingerprint == item.fingerprint:
                self._counts.unchanged += 1
            else:
                fresh.append(item)
        self._tell_removed(removed)
        return fresh

    def _tell_removed(self, items: Sequence[Item]) -> None:
        if items:
            self._counts.gone_here += len(items)
            notes = [Note(self.step.kind, item.key, item.name or item.key, "removed", _REMOVED) for item in items]
            with self._turn:
                self._add(notes)

    def _write(self, items: Sequence[Item]) -> None:
        """Write a batch; if it cannot be, one by one, so that a bad object is alone with what is bad in it."""
        try:
            self._write_together(items)
        except (OSError, DatabaseError) as error:
            if not isinstance(error, DataError | IntegrityError):
                raise
            self._write_each(items)
        except Exception:  # noqa: BLE001 — whatever an old installation holds must not stop the rest
            self._write_each(items)

    def _write_each(self, items: Sequence[Item]) -> None:
        for item in items:
            try:
                self._write_together([item])
            except (OSError, DatabaseError) as error:
                if not isinstance(error, DataError | IntegrityError):
                    raise
                self._refuse(item, error)
            except Exception as error:  # noqa: BLE001 — as above; the traceback is in the log
                self._refuse(item, error)

    def _refuse(self, item: Item, error: Exception) -> None:
        if not isinstance(error, PostroadError):
            log.debug("%s %s cannot be imported", self.step.kind, item.name or item.key, exc_info=error)
        told = str(error) if isinstance(error, PostroadError) else f"{type(error).__name__}: {error}"
        batch = Batch(self._source, self.step.kind, [item])
        batch.impossible(item, told)
        with transaction.atomic():
            self._note(batch)
        self._counts.refused += 1

    def _write_together(self, items: Sequence[Item]) -> None:
        batch = Batch(self._source, self.step.kind, items)
        with self._turn, transaction.atomic():
            was = self._values(item.target for item in items)
            self.step.write(batch)
            self._note(batch)
            digests = self._settle(batch, was)
            source, targets = (self._source.pk, self.step.kind), batch.targets
            records = [
                (*source, item.key, item.fingerprint, targets[item.key], digests.get(targets[item.key]))
                for item in items
                if item.key in targets
            ]
            with connection.cursor() as cursor:
                cursor.executemany(_UPSERT, records)
        for item in items:
            if item.key not in batch.targets:
                self._counts.refused += 1
            elif item.target is None:
                self._counts.new += 1
            else:
                self._counts.changed += 1

    def _values(self, targets: Iterable[int | None]) -> dict[int, Values]:
        """What people may change here of some rows."""
        keys = [target for target in targets if target is not None]
        return self.step.rows.values(keys) if keys and self.step.rows is not None else {}

    def _settle(self, batch: Batch, was: Mapping[int, Values]) -> dict[int | None, bytes]:
        """Put back what was changed here alone and note what was on both sides; by row, digests of what came."""
        now = self._values(batch.targets.values())
        again = {item.key: item for item in batch.items if item.target in was}
        known = dict(self._brought.filter(key__in=again).values_list("key", "digest")) if again else {}
        clashes = []
        for key, digest in known.items():
            item, target = again[key], batch.targets.get(key)
            if target is None or item.target is None or digest is None or self.step.rows is None:
                continue
            found, stay = compare(was[item.target], now.get(target, {}), bytes(digest))
            if stay:
                self.step.rows.put(target, stay)
            clashes += [ImportClash(source=self._source, kind=self.step.kind, key=key, name=item.name or key,
                                    **asdict(clash)) for clash in found]  # fmt: skip
        ImportClash.objects.bulk_create(clashes)
        return {target: digest_of(values) for target, values in now.items()}

    def _note(self, batch: Batch) -> None:
        """What was noted before about these objects is replaced."""
        for keys in chunks([item.key for item in batch.items]):
            for noted in (self._source.notes, self._source.clashes):
                noted.filter(kind=self.step.kind, key__in=keys).delete()
        self._add(batch.notes)

    def _add(self, notes: Iterable[Note]) -> None:
        ImportNote.objects.bulk_create(
            ImportNote(source=self._source, kind=n.kind, key=n.key, name=n.name, outcome=n.outcome, why=n.why[:2000])
            for n in notes
        )

    def _unused(self, targets: Sequence[int]) -> list[int]:
        """The rows that no other object became: what went and came again has another key and may have the same row."""
        used = set(self._brought.filter(target__in=targets).values_list("target", flat=True))
        return [target for target in targets if target not in used]

    def _refuse_emptied(self, read: int) -> None:
        """A disk that is not mounted, or a database restored by halves, must not empty this site.

        Where nothing is ever taken away, only how much is there counts, and not whether it has other keys.
        """
        brought = self._seen.brought
        gone = sum(map(len, self._gone())) if self.step.remove else max(brought - read, 0)
        if gone and (gone == brought or (brought >= _FEW and gone > brought * _MOST_GONE)):
            raise ImportStopped(
                f"{self._source.name} holds {brought - gone:,} of the {brought:,} {self.step.kind} that came from it"
                " before. Is its disk mounted, its database whole? None of them was taken away here. If they are gone"
                " on purpose, call it again with --take-away."
            )

    def _gone(self) -> Iterator[list[Gone]]:
        """What an earlier run brought and the source has no more, in pieces."""
        spared = self.step.spared or (lambda _: False)
        for piece in self._seen.gone(self._brought):
            if gone := [row for row in piece if not spared(row[1])]:
                yield gone

    def remove_gone(self) -> None:
        """Take away what the source has no more."""
        for gone in self._gone():
            with self._turn, transaction.atomic():
                self._brought.filter(pk__in=[pk for pk, _, _ in gone]).delete()
                if self.step.remove is not None:
                    self.step.remove(self._unused([target for _, _, target in gone if target is not None]))
                for noted in (self._source.notes, self._source.clashes):
                    noted.filter(kind=self.step.kind, key__in=[key for _, key, _ in gone]).delete()
            self._counts.removed += len(gone)
