"""A news server to talk to: the real INN, or a small scripted one for what a real one cannot be made to do."""

import contextlib
import dataclasses
import shutil
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from postroad.community.lists import actions as lists
from postroad.foundation.configuration import current
from postroad.foundation.sections import Nntp


@pytest.fixture(scope="module")
def inn():
    from .inn import running

    home = Path(tempfile.mkdtemp(prefix="postroad-inn-"))
    home.chmod(0o755)
    with running(home) as port:
        yield port
    shutil.rmtree(home)


@pytest.fixture
def gated(settings):
    """Point the site at a news server, and make a list that is joined to test.ants both ways."""

    def gate(port, **more):
        server = Nntp(host="127.0.0.1", port=port, timeout=5, **more)
        settings.POSTROAD = dataclasses.replace(current(), nntp=server)
        lists.create_domain("news.example")
        mailing_list = lists.create_list("ants@news.example")
        lists.change_settings(
            mailing_list, {"gateway_to_news": True, "gateway_to_mail": True, "linked_newsgroup": "test.ants"}
        )
        return mailing_list

    return gate


@pytest.fixture
def scripted():
    """A server that says what it is told to, line by line; it keeps what it hears."""
    servers = []

    def start(*answers):
        listener = socket.create_server(("127.0.0.1", 0))
        heard = []

        def run():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
                for answer in answers:
                    connection.sendall(answer)
                    if not answer:
                        return
                    line = lines.readline()
                    heard.append(line)
                    while answer.startswith(b"340") and line not in (b".\r\n", b""):
                        line = lines.readline()
                        heard.append(line)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        servers.append((listener, thread))
        return listener.getsockname()[1], heard

    yield start
    for listener, thread in servers:
        listener.close()
        thread.join(6)
