"""A REST server in a thread, and a site whose commands run as processes, each on the engine the tests run on."""

import asyncio
import dataclasses
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from postroad.foundation.configuration import Configuration, create
from postroad.foundation.sections import Listen
from postroad.project import http
from tests import databases, programs, tables
from tests.ports import free_port


@pytest.fixture
def rest_server(transactional_db, monkeypatch) -> Iterator[Configuration]:
    """The site's real two listeners; what is in force for them, with user and password of REST."""
    configuration = settings.POSTROAD
    configuration = dataclasses.replace(
        configuration,
        web=dataclasses.replace(configuration.web, listen=Listen("127.0.0.1", free_port())),
        rest=dataclasses.replace(configuration.rest, listen=Listen("127.0.0.1", free_port()), password="restpass"),
    )
    monkeypatch.setattr(settings, "POSTROAD", configuration)
    ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(http.serve(ready.set, stop),))
    thread.start()
    assert ready.wait(20), "the listeners did not open"
    yield configuration
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of an empty database on the engine the tests run on."""
    with databases.database(f"commands_{os.getpid()}") as url:
        yield url


class Site:
    """A home of its own; its commands run as an administrator runs them."""

    def __init__(self, home: Path, database: str) -> None:
        self.home = home
        self.environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("POSTROAD_", "DJANGO_", "MAILMAN_"))
        }
        self.environment |= {"POSTROAD_HOME": str(home), "POSTROAD_DATABASE_URL": database}

    def __call__(self, *arguments: str, stdin: str = "", program: str = "postroad") -> subprocess.CompletedProcess[str]:
        """Run `postroad` (or another of our programs) with these arguments."""
        return programs.run([program, *arguments], stdin, environment=self.environment)

    def python(self, code: str) -> str:
        """What a line of Python prints that has the site's database."""
        done = programs.run(["python", "-c", f"{programs.SET_UP}{code}"], environment=self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Iterator[Site]:
    """A site for the tests of this module, in their order: with configuration, secrets and tables."""
    home, name = tmp_path_factory.mktemp("home"), f"run_{os.getpid()}"
    create(home)
    yield Site(home, tables.copy_to(home, name))
    databases.drop(name)
