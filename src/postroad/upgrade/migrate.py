"""All migrations and the self-test in one transaction: whatever goes wrong, or is killed, nothing has happened."""

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from postroad.foundation.errors import PostroadError
from postroad.foundation.queue import actions as queue
from postroad.upgrade import new_tables, self_test

UNTIL_RESTART = 10 * 365 * 86_400.0


class MigrationFailed(PostroadError):
    """A migration failed; the text names it."""


def migrate_and_test() -> None:
    """Bring the schema to this release, walk the road, and keep the queue paused until `serve` of this release runs.

    The processes of the former release wait meanwhile: they must not go on with tables they do not know.

    Raises:
        MigrationFailed: a migration failed; the database is as it was.
        SelfTestFailed: a stage of the road did not do its part; the database is as it was.
    """
    # SQLite tables are rebuilt with the checks off; the pragma is heard only outside of a transaction.
    with connection.constraint_checks_disabled(), transaction.atomic():
        if connection.vendor == "postgresql":
            # Data and schema changes share the transaction, so no check may wait for its end.
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        _migrate()
        connection.check_constraints()
        self_test.run()
        queue.pause(UNTIL_RESTART, "upgraded; `postroad serve` of the new release goes on")


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if not executor.loader.applied_migrations:
        new_tables.make(executor, executor.loader.graph.leaf_nodes())
        return
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    # What is applied already, in the order of its dependencies; Django's own `migrate` begins there too.
    state = executor._create_project_state(with_applied_migrations=True)  # type: ignore[attr-defined]
    for migration, _ in plan:
        name = f"{migration.app_label}.{migration.name}"
        try:
            state = executor.apply_migration(state, migration)
        except Exception as error:
            raise MigrationFailed(f"migration {name} failed: {type(error).__name__}: {error}") from error
