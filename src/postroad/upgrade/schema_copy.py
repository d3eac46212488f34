"""Copies all tables of PostgreSQL's current schema into another one of the same database, and moves them back.

Everything a migration may name keeps its name: tables, constraints, indexes, identity sequences. Rows are copied in
seconds; constraints and indexes take longer, and are made when somebody works with the copy.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction


def copy_rows(target: str, without_rows: Collection[str] = (), leave_out: Collection[str] = ()) -> list[str]:
    """Make schema `target` a copy, in the present transaction; tables `without_rows` stay empty there.

    Answers with the statements that make its constraints and indexes, for `finish`.
    """
    source = current_schema()
    tables = [table for table in tables_of(source) if table not in leave_out]
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA IF EXISTS "{target}" CASCADE')
        cursor.execute(f'CREATE SCHEMA "{target}"')
        for table in tables:
            cursor.execute(
                f'CREATE TABLE "{target}"."{table}" (LIKE "{source}"."{table}" INCLUDING DEFAULTS INCLUDING IDENTITY'
                " INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMMENTS)"
            )
            if table not in without_rows:
                columns = ", ".join(f'"{name}"' for name in written_columns(source, table))
                cursor.execute(
                    f'INSERT INTO "{target}"."{table}" ({columns}) OVERRIDING SYSTEM VALUE'  # noqa: S608
                    f' SELECT {columns} FROM "{source}"."{table}"'
                )
            copy_counters(source, target, table)
    return [*_constraints(source, tables), *_indexes(source, target, tables)]


@contextmanager
def standing_still(*more: str) -> Iterator[None]:
    """A transaction in which everything stands still; `more` of it as `SET TRANSACTION` takes it, such as READ ONLY."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET TRANSACTION {', '.join(('ISOLATION LEVEL REPEATABLE READ', *more))}")
        yield


def moment() -> str:
    """The oldest transaction whose work the present one may not see."""
    return str(rows("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")[0][0])


def catch_up(target: str, since: str) -> None:
    """Let the rows of a copy that was made at a `moment` be those of now, in the present transaction.

    Each row names the transaction that wrote it (https://www.postgresql.org/docs/current/ddl-system-columns.html), so
    only what was written since is copied again.
    """
    source = current_schema()
    with connection.cursor() as cursor:
        for table in tables_of(target):
            key = _key(source, table)
            changed = f"age(s.xmin) <= age('{since}'::xid8::xid)" if key else "true"
            same = " AND ".join([*(f's."{name}" = c."{name}"' for name in key), f"NOT {changed}"])
            columns = ", ".join(f'"{name}"' for name in written_columns(source, table))
            cursor.execute(
                f'DELETE FROM "{target}"."{table}" c'  # noqa: S608 — names of ours and of the catalogue
                f' WHERE NOT EXISTS (SELECT 1 FROM "{source}"."{table}" s WHERE {same})'
            )
            cursor.execute(
                f'INSERT INTO "{target}"."{table}" ({columns}) OVERRIDING SYSTEM VALUE'  # noqa: S608 — as above
                f' SELECT {columns} FROM "{source}"."{table}" s WHERE {changed}'
            )
            copy_counters(source, target, table)


def finish(target: str, statements: Iterable[str]) -> None:
    """Make constraints and indexes of a copy, in the present transaction."""
    source = current_schema()
    with connection.cursor() as cursor:
        # Definitions name what they refer to without its schema, so the path decides; functions are not copied.
        cursor.execute(f'SET LOCAL search_path TO "{target}", "{source}"')
        for statement in statements:
            cursor.execute(statement)
        cursor.execute(f'SET LOCAL search_path TO "{source}"')


def move_back(source: str) -> None:
    """Put the tables of schema `source` in place of those of the current one, in the present transaction."""
    target = current_schema()
    copied = tables_of(source)
    with connection.cursor() as cursor:
        for table in tables_of(target):
            # Tables that only the newer release has go too; the store of messages may have been left out.
            if table in copied or table != "storage_blob":
                cursor.execute(f'DROP TABLE IF EXISTS "{target}"."{table}" CASCADE')
        for table in copied:
            cursor.execute(f'ALTER TABLE "{source}"."{table}" SET SCHEMA "{target}"')
        cursor.execute(f'DROP SCHEMA "{source}" CASCADE')


def tables_of(schema: str) -> list[str]:
    """Names of a schema's tables."""
    return [
        name
        for (name,) in rows(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relkind = 'r' ORDER BY 1",
            schema,
        )
    ]


def current_schema() -> str:
    """The schema this connection makes its tables in."""
    return str(rows("SELECT current_schema()")[0][0])


def rows(statement: str, *parameters: str) -> list[tuple[str, ...]]:
    """What a statement finds."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def written_columns(schema: str, table: str) -> list[str]:
    """Names of a table's columns, without those the engine works out itself."""
    return [
        name
        for (name,) in rows(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
            " AND is_generated = 'NEVER' ORDER BY ordinal_position",
            schema,
            table,
        )
    ]


def _key(schema: str, table: str) -> list[str]:
    """Columns of a table's primary key."""
    return [
        name
        for (name,) in rows(
            "SELECT a.attname FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid"
            " JOIN pg_namespace n ON n.oid = t.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY(i.indkey)"
            " WHERE n.nspname = %s AND t.relname = %s AND i.indisprimary",
            schema,
            table,
        )
    ]


def copy_counters(source: str, target: str, table: str) -> None:
    """Let identity columns go on where the original's stand."""
    for column, counter in rows(
        "SELECT column_name, pg_get_serial_sequence(%s, column_name) FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s AND is_identity = 'YES'",
        f'"{source}"."{table}"',
        source,
        table,
    ):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence(%s, %s), last_value, is_called) FROM {counter}",  # noqa: S608
                (f'"{target}"."{table}"', column),
            )


def _constraints(schema: str, tables: list[str]) -> list[str]:
    """Keys and checks first, foreign keys after all of them."""
    return [
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}'
        for table, name, definition in rows(
            "SELECT t.relname, c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c"
            " JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace"
            " WHERE n.nspname = %s AND c.contype IN ('p', 'u', 'c', 'x', 'f') ORDER BY c.contype = 'f', 1, 2",
            schema,
        )
        if table in tables
    ]


def _indexes(source: str, target: str, tables: list[str]) -> list[str]:
    """What no constraint brought along."""
    return [
        definition.replace(f" ON {source}.", f' ON "{target}".', 1)
        for table, definition in rows(
            "SELECT t.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i"
            " JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace"
            " WHERE n.nspname = %s AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)",
            source,
        )
        if table in tables
    ]
