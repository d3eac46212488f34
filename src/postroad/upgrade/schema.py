"""Compares the database's schema with this release: what it lacks, and what a newer release put there."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.utils import Error, InterfaceError, OperationalError

from postroad.foundation.errors import ConfigurationError, PostroadError, StorageFull, TryLater
from postroad.upgrade import new_tables


def lacking() -> list[str]:
    """Migrations of this release that were not applied yet, in order, as `app.name`."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def unknown() -> list[str]:
    """Applied migrations that this release does not have, as `app.name`: a newer release was here."""
    loader = MigrationLoader(connection)
    ours = {app for app, _ in loader.disk_migrations}
    known = set(loader.disk_migrations)
    return sorted(
        f"{app}.{name}" for app, name in loader.applied_migrations if app in ours and (app, name) not in known
    )


def is_new() -> bool:
    """Whether nothing was ever migrated here."""
    return not MigrationLoader(connection).applied_migrations


def refuse_encoding() -> None:
    """Make no tables where not every text can be kept.

    Raises:
        ConfigurationError: the database is PostgreSQL's, and its encoding is not UTF-8.
    """
    if connection.vendor == "postgresql" and is_new():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_database(), current_setting('server_encoding')")
            name, encoding = cursor.fetchone()
        if encoding != "UTF8":
            raise ConfigurationError(
                f"the database {name} has the encoding {encoding}, which cannot hold every mail; make it anew:"
                f" CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"
            )


def refuse_newer() -> None:
    """Let nothing of an older release touch the database of a newer one.

    Raises:
        ConfigurationError: there are migrations this release does not know.
    """
    if foreign := unknown():
        raise ConfigurationError(
            f"the database is of a newer release ({len(foreign)} migrations are unknown here, such as {foreign[0]});"
            " install that release again, or go back with its `postroad rollback`"
        )


def refuse_older(plan: list[str]) -> None:
    """Let nothing work on tables that are not yet as this release wants them; `plan` is what they lack.

    Raises:
        ConfigurationError: they lack something.
    """
    if plan:
        raise ConfigurationError(
            f"the database lacks {len(plan)} migrations of this release; run `postroad upgrade`, which keeps a way back"
        )


def make_or_check() -> bool:
    """Make the tables of a new database; whether it was new. An older one is left to `postroad upgrade`.

    Raises:
        ConfigurationError: the database is of another release, or not in UTF-8.
        StorageFull: there is no room for the tables.
    """
    refuse_newer()
    refuse_encoding()
    plan = lacking()
    if plan and not is_new():
        refuse_older(plan)
    if plan:
        try:
            executor = MigrationExecutor(connection)
            new_tables.make(executor, executor.loader.graph.leaf_nodes())
        except OperationalError as error:
            raise StorageFull(
                f"the tables of the new database cannot be made: {error}. See that the disk has room, and try again"
            ) from error
    return bool(plan)


def explained(error: Error) -> PostroadError | None:
    """What an error of the database means to whoever runs a command; None when it is a fault of the program."""
    connection.close()  # It may stand in a transaction that failed.
    try:
        if is_new():
            return ConfigurationError("the database has no tables yet; `postroad serve` makes them")
        refuse_newer()
        refuse_older(lacking())
    except PostroadError as told:
        return told
    except Error as away:
        return TryLater(
            f"the database does not answer, or is none; see `[database] url` in postroad.toml: {_first_line(away)}"
        )
    if isinstance(error, OperationalError | InterfaceError):
        return TryLater(f"the database could not do it, try again: {_first_line(error)}")
    return None


def _first_line(error: Error) -> str:
    return str(error).partition("\n")[0]
