"""Finds addresses and users by parts of an address or name, through an index of trigrams; both engines have one.

The index tells who may fit, the comparison who does. Parts of one or two characters are in no index: then every row
is compared.
"""

from collections.abc import Sequence

from django.db import connection

SHORTEST = 3
Source = tuple[str, Sequence[str]]
"""`FROM … WHERE …` in SQL, and the values of its marks."""


def addresses(pieces: Sequence[str]) -> Source:
    """Addresses `a` that consist of these pieces, or are called so, with anything between two of them; in any case."""
    likely, values = _likely(pieces, "a.id", "rowid", "a.email || ' ' || a.display_name")
    pattern = _pattern(pieces)
    fits = f"(a.email LIKE %s ESCAPE '!' OR a.display_name {_like()} %s ESCAPE '!')"
    return f"FROM people_address a WHERE {likely}{fits}", (*values, pattern.lower(), pattern)


def users(pieces: Sequence[str]) -> Source:
    """Users `u` who are called so."""
    likely, values = _likely(pieces, "u.id", "-rowid", "u.display_name")
    return f"FROM people_user u WHERE {likely}u.display_name {_like()} %s ESCAPE '!'", (*values, _pattern(pieces))


def _like() -> str:
    return "ILIKE" if connection.vendor == "postgresql" else "LIKE"


def _pattern(pieces: Sequence[str]) -> str:
    escaped = [piece.replace("!", "!!").replace("%", "!%").replace("_", "!_") for piece in pieces]
    return "%".join(escaped)


def _likely(pieces: Sequence[str], key: str, entry: str, words: str) -> Source:
    """The condition, with an AND behind it, that the trigrams of the longer pieces are there; empty without such."""
    long = [piece for piece in pieces if len(piece) >= SHORTEST]
    if not long:
        return "", ()
    if connection.vendor == "postgresql":
        wanted = " || ".join(["people_trigrams(%s)"] * len(long))
        return f"people_trigrams({words}) @> ({wanted}) AND ", long
    trigrams = dict.fromkeys(piece[at : at + 3] for piece in long for at in range(len(piece) - 2))
    wanted = " AND ".join('"' + trigram.replace('"', '""') + '"' for trigram in trigrams)
    return f"{key} IN (SELECT {entry} FROM people_trigrams WHERE people_trigrams MATCH %s) AND ", (wanted,)  # noqa: S608
