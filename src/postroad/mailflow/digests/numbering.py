"""Which volume and number a digest has: a new volume begins with the first issue of a new period."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

Period = tuple[int, ...]

_PERIODS: Mapping[str, Callable[[datetime], Period]] = MappingProxyType(
    {
        "yearly": lambda day: (day.year,),
        "quarterly": lambda day: (day.year, (day.month - 1) // 3),
        "monthly": lambda day: (day.year, day.month),
        "weekly": lambda day: day.isocalendar()[:2],
        "daily": lambda day: (day.year, day.month, day.day),
    }
)
"""Weeks are ISO 8601's, which belong to one year even when New Year lies in them."""


def is_new_period(frequency: str, last: datetime | None, now: datetime) -> bool:
    """Whether another year, quarter, month, week or day began since; both moments in UTC."""
    period = _PERIODS[frequency]
    return last is not None and period(now) > period(last)


def upcoming(volume: int, number: int, frequency: str, last: datetime | None, now: datetime) -> tuple[int, int]:
    """Volume and number of an issue made now, when these would be next in the same period."""
    return (volume + 1, 1) if is_new_period(frequency, last, now) else (volume, number)
