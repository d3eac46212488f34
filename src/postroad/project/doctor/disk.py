"""Is there room? Without it mail is put off, and nothing is lost."""

import os
from collections.abc import Iterator

from postroad.foundation.configuration import current
from postroad.project.doctor.finding import Finding, bad, ok

LEAST_BYTES = 1_000_000_000
LEAST_SHARE = 0.05


def look() -> Iterator[Finding]:
    """Bytes and files of the home's file system."""
    home = current().home
    state = os.statvfs(home)
    free, whole = state.f_bavail * state.f_frsize, state.f_blocks * state.f_frsize
    text = f"{free / 1e9:,.1f} of {whole / 1e9:,.1f} GB are free at {home}"
    if free < LEAST_BYTES or free < LEAST_SHARE * whole:
        yield bad(text, "Make room, or move the home to a larger disk")
    else:
        yield ok(text)
    if state.f_files and state.f_favail < LEAST_SHARE * state.f_files:
        yield bad(f"only {state.f_favail:,} more files fit at {home}", "Remove files, or use a larger file system")
