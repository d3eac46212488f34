"""A home of its own for every test run, on SQLite or (POSTROAD_TEST_DATABASE=postgresql://…) PostgreSQL."""

import os
import tempfile
from pathlib import Path

import django
import pytest

HOME = Path(tempfile.mkdtemp(prefix="postroad-test-"))
os.environ["POSTROAD_HOME"] = str(HOME)
os.environ["POSTROAD_DATABASE_URL"] = os.environ.get("POSTROAD_TEST_DATABASE", "sqlite:///postroad.db")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroad.project.settings")

from postroad.foundation import configuration  # noqa: E402 — the home must be named first

configuration.create(HOME)
# Only now: settings that were read before would be those of another home and database.
django.setup()


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A file, not memory: threads and processes of a test share the database as they do in a real site."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(HOME / "test.db")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The test database can be dropped although a test's worker still listens on it."""
    yield
    from django.db import connection

    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
