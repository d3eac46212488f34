"""Brings chunks into memory with what their copies are made from; what goes wrong with one is told to its job."""

from collections import deque
from collections.abc import Mapping, Sequence

from postroad.foundation.errors import NotFound
from postroad.foundation.queue.actions import Claimed
from postroad.mailflow.delivery.actions import Work, load_works
from postroad.mailflow.delivery.copies import Source
from postroad.mailflow.delivery.cutting import Begun, begin

Loaded = tuple[Work, Source] | Exception


def load_all(jobs: Sequence[Claimed]) -> list[tuple[Claimed, Loaded]]:
    """Each job with its chunk and what its copies are made from, or with what went wrong."""
    if not jobs:
        return []
    try:
        works = load_works(jobs)
    except Exception as error:  # noqa: BLE001 - told to the jobs it belongs to
        return [(job, error) for job in jobs]
    return [(job, _source_of(job, works)) for job in jobs]


def _source_of(job: Claimed, works: Mapping[int, tuple[Work, bytes]]) -> Loaded:
    if job.id not in works:
        return NotFound("The recipients, or the text, of this mail are gone from the database.")
    work, template = works[job.id]
    try:
        return work, Source.load(work.envelope, template)
    except Exception as error:  # noqa: BLE001 - told to the job it belongs to
        return error


def cut_and_load(jobs: deque[Claimed]) -> tuple[Begun, list[tuple[Claimed, Loaded]]]:
    """Begin with as many of these jobs as `begin` takes, and load the first chunk of each."""
    begun = begin(jobs)
    return begun, load_all(begun.held)
