"""When was the last backup made? Whoever makes them, `[backup] folder` says where the newest one lies."""

import time
from collections.abc import Iterator

from postroad.foundation.configuration import current
from postroad.project.doctor.finding import Finding, bad, ok


def look() -> Iterator[Finding]:
    """The age of the newest file."""
    backup = current().backup
    if not backup.folder:
        yield bad(
            "nothing tells whether backups are made",
            "Let cron call `postroad backup FILE` every day, and name the folder in [backup] folder",
        )
        return
    folder = current().home / backup.folder
    times = [path.stat().st_mtime for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    if not times:
        yield bad(f"there is no backup in {folder}", "Look at what makes them")
        return
    days = (time.time() - max(times)) / 86_400
    if days > backup.max_days:
        yield bad(f"the newest backup in {folder} is {days:.1f} days old", "Look at what makes them")
    else:
        yield ok(f"the newest backup in {folder} is {days:.1f} days old")
