"""A home with empty tables for a benchmark, gone again afterwards; and what benchmarks fill it with."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def fresh_home(folder: str = "") -> Iterator[Path]:
    """A home in a folder that stays, or in one that goes; POSTROAD_DATABASE_URL may name another database."""
    with tempfile.TemporaryDirectory(prefix="postroad-bench-") as thrown_away:
        home = Path(folder or thrown_away)
        os.environ["POSTROAD_HOME"] = str(home)
        os.environ["DJANGO_SETTINGS_MODULE"] = "postroad.project.settings"
        from postroad.foundation import configuration

        configuration.create(home)
        import django

        django.setup()
        from postroad.project.commands.serve import prepare_database

        prepare_database()
        yield home


def add_members(list_pk: int, count: int, receivers: int = 997) -> None:
    """Make so many members of a list as rows, at so many mail hosts, without the care that people get one by one."""
    from django.db import connection, transaction

    if connection.vendor == "sqlite":
        numbers = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %s)"
        uuid, now = "lower(hex(randomblob(16)))", "'2026-11-26 00:00:00'"
    else:
        numbers = "WITH n AS (SELECT generate_series(0, %s - 1) AS i)"
        uuid, now = "gen_random_uuid()", "now()"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people_address (email, original_email, display_name, registered_on, verified_on) "
            f"{numbers} SELECT email, email, '', {now}, {now} FROM"
            f" (SELECT i, 'm' || i || '@' || (i %% {receivers}) || '.example' AS email FROM n) made ORDER BY i"
            " ON CONFLICT DO NOTHING",
            [count],
        )
        cursor.execute(
            "INSERT INTO subscriptions_member (uuid, mailing_list_id, role, address_id, created_at, bounce_score,"
            f" total_warnings_sent) SELECT {uuid}, %s, 'member', id, {now}, 0, 0 FROM people_address"
            " WHERE email LIKE 'm%%.example' ORDER BY id LIMIT %s",
            [list_pk, count],
        )
