"""A home with empty tables for a benchmark, gone again afterwards."""

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
