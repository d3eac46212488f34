"""The shapes of what REST gives, declared once: the OpenAPI document and the reference page are made of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
WHOLE: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
_MOMENT: Schema = {
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$",
    "description": "ISO 8601, UTC, without zone",
}
MOMENT: Schema = {"type": "string", **_MOMENT}
MOMENT_OR_NULL: Schema = {"type": ["string", "null"], **_MOMENT}
LINK: Schema = {"type": "string", "format": "uri"}
IDENTIFIER: Schema = {"type": ["string", "integer"], "description": "32 hexadecimal digits in 3.1, a number in 3.0"}
TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
ANY: Schema = {}


@dataclass(frozen=True, slots=True)
class Shape:
    """The keys of one kind of resource; those in `may_lack` stand only where there is something to say."""

    name: str
    keys: Mapping[str, Schema]
    may_lack: frozenset[str] = frozenset()
    of: "Shape | None" = None
    """What a collection is a collection of."""
    open: bool = False
    """Further keys may stand beside the declared ones."""
    late: Callable[[], Mapping[str, Schema]] | None = None
    """Keys that are known only when every slice is loaded."""

    def schema(self) -> Schema:
        """As JSON Schema (2020-12), every resource with its `http_etag`."""
        keys = {**self.keys, **(self.late() if self.late else {}), "http_etag": {"type": "string"}}
        required = sorted(set(keys) - self.may_lack)
        return {"type": "object", "properties": keys, "required": required, "additionalProperties": self.open}


def shape(name: str, /, *, may_lack: str = "", open_: bool = False, **keys: Schema) -> Shape:
    """A resource of these keys; `may_lack` names, in one text, those that are not always there."""
    return Shape(name, keys, frozenset(may_lack.split()), open=open_)


def many(of: Shape) -> Shape:
    """A collection: `entries` is absent when there are none."""
    entries: Schema = {"type": "array", "items": {"$ref": f"#/components/schemas/{of.name}"}}
    keys = {"start": WHOLE, "total_size": WHOLE, "entries": entries, "self_link": LINK}
    return Shape(f"{of.name}Collection", keys, frozenset({"entries", "self_link"}), of)
