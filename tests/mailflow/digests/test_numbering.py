"""A new volume begins with the calendar: quarters have three months, and a week belongs to one year."""

from datetime import UTC, datetime

import pytest

from postroad.mailflow.digests.numbering import is_new_period, upcoming


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("frequency", "last", "now", "expected"),
    [
        ("yearly", "2026-12-31", "2027-01-01", True),
        ("yearly", "2026-01-01", "2026-12-31", False),
        ("quarterly", "2026-03-31", "2026-04-01", True),
        ("quarterly", "2026-04-01", "2026-06-30", False),
        ("quarterly", "2026-05-01", "2027-05-01", True),
        ("monthly", "2026-01-31", "2026-02-01", True),
        ("monthly", "2026-02-01", "2026-02-28", False),
        ("weekly", "2026-11-22", "2026-11-23", True),
        ("weekly", "2025-12-29", "2026-01-04", False),
        ("weekly", "2026-12-28", "2027-01-03", False),
        ("weekly", "2027-01-03", "2027-01-04", True),
        ("daily", "2026-11-26", "2026-11-26", False),
        ("daily", "2026-11-26", "2026-11-27", True),
        ("daily", "2026-11-27", "2026-11-26", False),
    ],
)
def test_a_period_ends_when_the_calendar_says_so(frequency, last, now, expected):
    assert is_new_period(frequency, day(last), day(now)) is expected


def test_the_first_digest_ever_begins_no_new_volume():
    assert upcoming(1, 1, "daily", None, day("2026-11-26")) == (1, 1)
