"""Pended things of the core: key-value pairs under a token (facts: schema §4)."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from postroad.foundation.errors import BadInput
from postroad.upgrade.importing.pickles import load
from postroad.upgrade.mailman3.databases import OldDatabase, Row
from postroad.upgrade.mailman3.values import text


def every_pending(core: OldDatabase) -> Iterator[Row]:
    """Token, `expiration_date`, and `values` of each."""
    piece: list[Row] = []
    for row in core.rows("pended", ("id", "token", "expiration_date")):
        piece.append(row)
        if len(piece) == 500:
            yield from _filled(core, piece)
            piece = []
    yield from _filled(core, piece)


def pendings_of(core: OldDatabase, tokens: Sequence[str]) -> dict[str, Row]:
    """Those with these tokens."""
    rows = core.pick("pended", ("id", "token", "expiration_date"), "token", tokens)
    return {text(row["token"]): row for row in _filled(core, rows)}


def _filled(core: OldDatabase, rows: Sequence[Row]) -> Sequence[Row]:
    by_id: dict[int, Row] = {row["id"]: row for row in rows}
    for row in rows:
        row["token"], row["values"] = text(row["token"]), {}
    for pair in core.pick("pendedkeyvalue", ("key", "value", "pended_id"), "pended_id", list(by_id)):
        by_id[pair["pended_id"]]["values"][text(pair["key"])] = _value(text(pair["key"]), pair["value"])
    for row in rows:
        row["type"] = _type(row["values"])
    return rows


def _value(key: str, stored: Any) -> Any:
    """JSON, except `type`, which is bare since 3.1; bytes are an object that says how they are written."""
    written = stored.decode() if isinstance(stored, bytes) else stored
    try:
        value = json.loads(written)
    except (TypeError, ValueError):
        return written
    if isinstance(value, dict) and "__encoding__" in value:
        value = value.get("value")
    if key.startswith("_pck_"):
        try:
            return load(str(value).encode("raw-unicode-escape"))
        except (BadInput, ValueError):
            return None
    return value


def _type(values: dict[str, Any]) -> str:
    """3.0 left the type out at times; the keys tell it."""
    named = values.get("type")
    if isinstance(named, str) and named:
        return named
    clues = (("member_id", "probe"), ("token_owner", "subscription"), ("_mod_message_id", "data"))
    return next((kind for key, kind in clues if key in values), "")


def unpacked(values: dict[str, Any]) -> dict[str, Any]:
    """The metadata of a held message, without the marks of how its values were packed."""
    return {key.removeprefix("_pck_"): value for key, value in values.items()}
