"""A home of its own for every test run, on SQLite or (POSTROAD_TEST_DATABASE=postgresql://…) PostgreSQL."""

import os
import tempfile
from pathlib import Path

import pytest

HOME = Path(tempfile.mkdtemp(prefix="postroad-test-"))
os.environ["POSTROAD_HOME"] = str(HOME)
os.environ["POSTROAD_DATABASE_URL"] = os.environ.get("POSTROAD_TEST_DATABASE", "sqlite:///postroad.db")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroad.project.settings")

from postroad.foundation import configuration  # noqa: E402 — the home must be named first

configuration.create(HOME)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A file, not memory: threads and processes of a test share the database as they do in a real site."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(HOME / "test.db")
