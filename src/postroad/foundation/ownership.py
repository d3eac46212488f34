"""Whose files a home's are: what root makes in the home of a service's user belongs to that user afterwards."""

import os
import stat
from contextlib import suppress
from pathlib import Path


def is_another_s(home: Path) -> bool:
    """Whether this is root in the home of another user."""
    return os.geteuid() == 0 and home.is_dir() and home.stat().st_uid != 0


def hand_over(home: Path) -> None:
    """Give what is root's in a home to the home's owner; does something only for root, in another's home.

    The owner may put anything there meanwhile, so nothing is reached by a path, no link is followed, and a file with a
    second name, which may be one of the system's, is left alone.
    """
    if not is_another_s(home):
        return
    owner = home.stat()
    for _, folders, files, here in os.fwalk(home):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):
                _give(name, here, owner)


def _give(name: str, folder: int, owner: os.stat_result) -> None:
    if os.stat(name, dir_fd=folder, follow_symlinks=False).st_uid != 0:
        return  # Nor opened: to close a database's file would end this process's locks of it (POSIX fcntl).
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return  # A link, a socket, or gone meanwhile.
    try:
        found = os.fstat(file)
        is_plain = stat.S_ISDIR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1)
        if found.st_uid == 0 and is_plain:
            os.fchown(file, owner.st_uid, owner.st_gid)
    finally:
        os.close(file)
