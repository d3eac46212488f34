"""An old site's folders: where Mailman 2.1 keeps lists, held posts, archives and queues."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from postroad.foundation.errors import BadInput, NotFound
from postroad.foundation.message.addresses import is_valid_email
from postroad.foundation.rows import NOT_KEPT
from postroad.upgrade.mailman2.old_list import OldList, read_list


@dataclass(frozen=True, slots=True)
class OldSite:
    """What is to be moved: the whole site, or the lists named."""

    root: Path
    """Its `var` folder, such as `/var/lib/mailman`; `lists` is below it."""
    only: Sequence[str] = ()
    host: str = ""
    """Mail host of lists that do not say theirs."""
    is_cut_over: bool = False
    """The old system is stopped for good: what waits in its queues and digests comes too."""
    broken: dict[str, str] = field(default_factory=dict)
    """Lists that cannot be read, and why."""

    @property
    def name(self) -> str:
        """What it is known as in every run."""
        return f"Mailman 2.1 at {self.root.resolve()}"

    @property
    def archives(self) -> Path:
        """The folder of all archives; the public ones are links into it."""
        return self.root / "archives" / "private"

    def folders(self) -> list[Path]:
        """The lists' folders, by name.

        Raises:
            NotFound: there are none, or not the one that was named.
        """
        parent = self.root / "lists"
        there = sorted(f for f in parent.iterdir() if f.is_dir()) if parent.is_dir() else []
        if not there:
            raise NotFound(f"There are no lists in {parent}. Name the folder that has `lists` in it.")
        missing = sorted(set(self.only) - {folder.name for folder in there})
        if missing:
            raise NotFound(f"There is no list {', '.join(missing)} in {parent}.")
        return [folder for folder in there if not self.only or folder.name in self.only]

    def lists(self) -> Iterator[OldList]:
        """Every list that can be read; the others stand in `broken`."""
        for folder in self.folders():
            try:
                old = _read(folder, self.host, _stamp(folder))
            except BadInput as error:
                self.broken[folder.name] = str(error)
                continue
            if old.name == "mailman" and not self.only:
                continue  # Its own list of administrators, which is no list of people.
            yield old

    def is_of_broken(self, key: str) -> bool:
        """Whether an object, by its key, is of a list that cannot be read; keys begin with the list's name."""
        return any(key.startswith((f"{name}:", f"{name}/", f"{name}.mbox@")) for name in self.broken)


def _stamp(folder: Path) -> tuple[tuple[int, int], ...]:
    """Another one means that the list changed while we looked."""
    files = [folder / "config.pck", folder / "config.pck.last"]
    return tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.is_file())


@functools.lru_cache(maxsize=32)
def _read(folder: Path, host: str, stamp: tuple[tuple[int, int], ...]) -> OldList:
    """A list; every step reads it, so the last ones are remembered."""
    if NOT_KEPT.search(folder.name) or not is_valid_email(f"{folder.name}@lists.example"):
        raise BadInput("its folder's name is no local part of an address")
    old = read_list(folder, host=host)
    if not old.mail_host:
        raise BadInput("it does not say its mail host; name one with --host")
    return old
