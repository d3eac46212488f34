"""Changes keys of postroad.toml and leaves everything else in it, comments too, as it stands."""

import dataclasses
import json
import os
import re
import tempfile
import typing
from collections.abc import Mapping
from pathlib import Path

from postroad.foundation import configuration
from postroad.foundation.configuration import Configuration
from postroad.foundation.errors import BadInput, ConfigurationError

_SECTION = re.compile(r"\s*\[([A-Za-z_]+)\]\s*(#.*)?")


def change(file: Path, changes: Mapping[tuple[str, str], str]) -> None:
    """Set keys, given as section and name, to values as a person writes them; the file is there whole, old or new.

    Raises:
        BadInput: a key or value is not allowed; nothing is changed then.
    """
    text = file.read_text(encoding="utf-8")
    for (section, key), value in changes.items():
        text = _with(text, section, key, value)
    _check(text, file)
    new = file.with_name(f"{file.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)


def _with(text: str, section: str, key: str, value: str) -> str:
    """The text with one key set: its line replaced, or a new one at the end of its section."""
    lines = text.rstrip("\n").split("\n")  # Other line ends may stand inside a value.
    line = f"{key} = {_literal(section, key, value)}"
    begin = next((i for i, row in enumerate(lines) if (m := _SECTION.fullmatch(row)) and m[1] == section), None)
    if begin is None:
        return "\n".join([*lines, *([""] if lines else []), f"[{section}]", line]) + "\n"
    end = next((i for i in range(begin + 1, len(lines)) if lines[i].lstrip().startswith("[")), len(lines))
    there = next((i for i in range(begin + 1, end) if re.match(rf"\s*{re.escape(key)}\s*=", lines[i])), None)
    if there is not None:
        lines[there] = line
    else:
        while end > begin + 1 and not lines[end - 1].strip():
            end -= 1
        lines.insert(end, line)
    return "\n".join(lines) + "\n"


def _literal(section: str, key: str, value: str) -> str:
    """A value as TOML has it, by what the key takes; what cannot be that is judged by the check."""
    kinds = {field.name: field.default_factory for field in dataclasses.fields(Configuration) if field.name != "home"}
    hints = typing.get_type_hints(kinds[section]) if section in kinds else {}
    made = configuration.from_text(value, hints.get(key, str))
    return json.dumps(made, ensure_ascii=False, default=str).replace("\x7f", "\\u007f")


def _check(text: str, file: Path) -> None:
    """Load it as if it were in place, without the environment's word about these keys."""
    with tempfile.TemporaryDirectory(prefix="postroad-config-") as folder:
        (Path(folder) / file.name).write_text(text, encoding="utf-8")
        try:
            configuration.load(Path(folder))
        except ConfigurationError as error:
            raise BadInput(str(error).replace(folder, str(file.parent))) from None
