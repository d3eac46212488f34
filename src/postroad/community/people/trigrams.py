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
    pattern = _pattern(pieces)
    if connection.vendor == "postgresql" and (long := _in_the_index(pieces)):
        return f"FROM people_addresses_like({_trigrams(long)}, %s, %s) a WHERE TRUE", (*long, pattern.lower(), pattern)
    likely, values = _likely(pieces, "a.id", "rowid")
    fits = f"(a.email LIKE %s ESCAPE '!' OR a.display_name {_like()} %s ESCAPE '!')"
    return f"FROM people_address a WHERE {likely}{fits}", (*values, pattern.lower(), pattern)


def users(pieces: Sequence[str]) -> Source:
    """Users `u` who are called so."""
    pattern = _pattern(pieces)
    if connection.vendor == "postgresql" and (long := _in_the_index(pieces)):
        return f"FROM people_users_like({_trigrams(long)}, %s) u WHERE TRUE", (*long, pattern)
    likely, values = _likely(pieces, "u.id", "-rowid")
    return f"FROM people_user u WHERE {likely}u.display_name {_like()} %s ESCAPE '!'", (*values, pattern)


def _like() -> str:
    return "ILIKE" if connection.vendor == "postgresql" else "LIKE"


def _pattern(pieces: Sequence[str]) -> str:
    escaped = [piece.replace("!", "!!").replace("%", "!%").replace("_", "!_") for piece in pieces]
    return "%".join(escaped)


def _in_the_index(pieces: Sequence[str]) -> Sequence[str]:
    return [piece for piece in pieces if len(piece) >= SHORTEST]


def _trigrams(pieces: Sequence[str]) -> str:
    """On PostgreSQL: those of all pieces, one mark for each."""
    return " || ".join(["people_trigrams(%s)"] * len(pieces))


def _likely(pieces: Sequence[str], key: str, entry: str) -> Source:
    """On SQLite the condition, with an AND behind it, that the longer pieces' trigrams are there; or empty."""
    long = _in_the_index(pieces)
    if not long or connection.vendor == "postgresql":
        return "", ()
    trigrams = dict.fromkeys(piece[at : at + 3] for piece in long for at in range(len(piece) - 2))
    wanted = " AND ".join('"' + trigram.replace('"', '""') + '"' for trigram in trigrams)
    return f"{key} IN (SELECT {entry} FROM people_trigrams WHERE people_trigrams MATCH %s) AND ", (wanted,)  # noqa: S608
