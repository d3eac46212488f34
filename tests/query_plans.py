"""How the database goes about what a function asks it."""

from collections.abc import Callable
from typing import Any

from django.db import connection


def plans_of(function: Callable[[], object]) -> list[str]:
    """The plan of each statement the function executes, in their order, a line for each step."""
    asked: list[tuple[str, Any]] = []

    def note(execute, sql, parameters, many, context):
        asked.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        function()
    return [plan_of(sql, parameters) for sql, parameters in asked]


def plan_of(sql: str, parameters: Any = ()) -> str:
    """The plan of one statement."""
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}", parameters)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
