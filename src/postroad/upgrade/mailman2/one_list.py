"""One list's `config.pck` that goes into a list that is there already, whatever the old one was called."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from postroad.upgrade.mailman2.old_list import OldList, read_config
from postroad.upgrade.mailman2.site import OldSite


@dataclass(frozen=True, slots=True)
class OneList(OldSite):
    """A list's file alone, under the name and host of the list it is to become."""

    file: Path = Path()
    target: tuple[str, str] = ("", "")
    charset: str = ""

    @property
    def name(self) -> str:
        """What it is known as in every run."""
        return f"import21 of {self.file.resolve()} into {'@'.join(self.target)}"

    def folders(self) -> list[Path]:
        """The file's own."""
        return [self.root]

    def lists(self) -> Iterator[OldList]:
        """The one."""
        name, host = self.target
        data = _decoded(read_config(self.file), self.charset) if self.charset else read_config(self.file)
        yield OldList(name, self.root, MappingProxyType({**data, "host_name": host}))


def _decoded(value: Any, charset: str, levels: int = 4) -> Any:
    """Byte strings as texts, in dictionaries and sequences too; what cannot be decoded vanishes, as ever."""
    if isinstance(value, bytes):
        return value.decode(charset, "ignore")
    if levels and isinstance(value, Mapping):
        return {_decoded(k, charset, 0): _decoded(entry, charset, levels - 1) for k, entry in value.items()}
    if levels and isinstance(value, list | tuple):
        return type(value)(_decoded(entry, charset, levels - 1) for entry in value)
    return value
