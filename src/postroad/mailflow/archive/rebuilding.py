"""A new index of words beside the old one, put in its place when it is whole: searching goes on all the while.

Needed when the tokens of this release are others than those the index was made of (`analyser.VERSION`). Whoever is
stopped half-way goes on where the last batch was committed.
"""

from collections.abc import Iterator

from django.db import connection, transaction

from postroad.mailflow.archive.indexing import index_lacking, lacking
from postroad.mailflow.archive.models import IndexState, Mail
from postroad.mailflow.archive.search import index
from postroad.mailflow.archive.search.analyser import VERSION


def _state() -> IndexState:
    """The row that says so; a database that was emptied has an index of nothing, which is of this format."""
    state = IndexState.objects.first()
    return state or IndexState.objects.create(version=VERSION)


def is_outdated() -> bool:
    """Whether the index was made of other tokens than this release asks with."""
    return _state().version != VERSION


def to_do() -> int:
    """How many mails a rebuild has still to read."""
    if _state().building == VERSION:
        return lacking(table=index.NEXT)
    return Mail.objects.count()


def rebuild() -> Iterator[int]:
    """Build the index anew and swap it in; yields how many mails each committed batch had."""
    _begin()
    yield from index_lacking(table=index.NEXT)
    index.complete(index.NEXT)
    yield from index_lacking(table=index.NEXT)
    with transaction.atomic():
        _hold_writers()
        # What was archived by transactions that were still open when its batch was read.
        last = sum(index_lacking(table=index.NEXT))
        index.swap()
        IndexState.objects.update(version=VERSION, building=None)
    if last:
        yield last


def _begin() -> None:
    """Make the new table, unless one of this format was begun already."""
    with transaction.atomic():
        state = IndexState.objects.select_for_update().get(pk=_state().pk)
        if state.building == VERSION:
            return
        index.drop(index.NEXT)
        index.begin(index.NEXT)
        state.building = VERSION
        state.save(update_fields=["building"])


def _hold_writers() -> None:
    """Let nobody archive until this transaction ends; SQLite's transaction keeps them off already."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {index.TABLE} IN SHARE ROW EXCLUSIVE MODE")
