"""The verbs of importers: whom another system answered, and when; texts that are no more there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from postroad.community.notices.models import AutoResponse, OwnText
from postroad.foundation.message.addresses import identity


@dataclass(frozen=True, slots=True)
class Answered:
    """An address got so many automatic answers of one kind from a list on a day."""

    address: str
    list_id: str
    kind: str
    """`hold`, `reply-postings`, `reply-owner` or `reply-requests`."""
    day: date
    count: int = 1


def bring_answers(answers: Sequence[Answered]) -> list[int]:
    """Remember them, so that grace periods and daily limits go on; the keys of their rows."""
    rows = [
        AutoResponse(address=identity(a.address), list_id=a.list_id, kind=a.kind, day=a.day, count=a.count)
        for a in answers
    ]
    unique = ["address", "list_id", "kind", "day"]
    AutoResponse.objects.bulk_create(rows, update_conflicts=True, unique_fields=unique, update_fields=["count"])
    return [row.pk for row in rows]


def remove_texts(keys: Sequence[int]) -> None:
    """Let these texts be again what the wider scope says."""
    OwnText.objects.filter(pk__in=keys).delete()
