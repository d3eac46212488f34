"""A REST server in a thread, on a free port, with the test's database."""

import asyncio
import dataclasses
import socket
import threading
from collections.abc import Iterator

import pytest
from django.conf import settings

from postroad.foundation.configuration import Configuration, Listen
from postroad.project import http


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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
