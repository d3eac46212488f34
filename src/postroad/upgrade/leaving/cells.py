"""Values of columns as JSON and back, the same for both engines (docs/guides/leaving.md tells the format)."""

import base64
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import BinaryField, DateField, DateTimeField, Field, JSONField, UUIDField

from postroad.foundation.errors import BadInput

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
AnyField: TypeAlias = "Field[Any, Any]"


def to_json(value: Any) -> Any:
    """A value of a row as JSON can hold it: bytes in base64, moments in UTC as ISO 8601."""
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def without_nul(line: bytes) -> bytes:
    """A row with U+FFFD for each NUL, which no text or JSON of PostgreSQL can hold."""
    return _NUL.sub(rb"\1\\ufffd", line) if b"\\u0000" in line else line


def reader_of(field: AnyField) -> Callable[[Any], Any]:
    """What makes a column's value of its JSON."""
    if isinstance(field, JSONField):
        return lambda value: value
    while field.remote_field is not None:
        field = field.target_field  # type: ignore[attr-defined]
    make: Callable[[Any], Any] = lambda value: value  # noqa: E731
    if isinstance(field, BinaryField):
        make = base64.b64decode
    elif isinstance(field, DateTimeField):
        make = datetime.fromisoformat
    elif isinstance(field, DateField):
        make = date.fromisoformat
    elif isinstance(field, UUIDField):
        make = UUID
    return lambda value: None if value is None else make(value)


def columns_of(fields: Sequence[AnyField], row: dict[str, Any], table: str) -> list[Any]:
    """A row's cells in the order of the fields.

    Raises:
        BadInput: it has other columns.
    """
    columns = [str(field.column) for field in fields]
    if set(row) != set(columns):
        odd = sorted(set(row) ^ set(columns))
        raise BadInput(f"a row of {table} has other columns than it should: {', '.join(odd)[:200]}")
    return [row[column] for column in columns]
