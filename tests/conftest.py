"""A home of its own for every test run, on SQLite or (POSTROAD_TEST_DATABASE=postgresql://…) PostgreSQL."""

import dataclasses
import os
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from typing import Any

import django
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import hypothesis
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

HOME = Path(tempfile.mkdtemp(prefix="postroad-test-"))
os.environ["POSTROAD_HOME"] = str(HOME)
os.environ["POSTROAD_DATABASE_URL"] = os.environ.get("POSTROAD_TEST_DATABASE", "sqlite:///postroad.db")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroad.project.settings")

from postroad.foundation import configuration  # noqa: E402 — the home must be named first

configuration.create(HOME)
# Only now: settings that were read before would be those of another home and database.
django.setup()

# What a good hash costs is its point, and hundreds of passwords are made here that guard nothing.
Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1

# The same few examples each time, so that a change is judged by what it changed; `make fuzz` looks for new ones.
# What takes how long is judged by tests of its own: a busy machine makes any example slow.
_OF_EACH: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
}
hypothesis.settings.register_profile("repeatable", derandomize=True, max_examples=60, **_OF_EACH)
hypothesis.settings.register_profile("fuzz", max_examples=500, **_OF_EACH)
hypothesis.settings.load_profile("fuzz" if os.environ.get("POSTROAD_FUZZ") else "repeatable")


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A copy of tables that are made once. On SQLite a file: a test's threads and processes share it, as a site's do."""
    from django.db import connection

    from tests import tables

    test = connection.settings_dict["TEST"]
    if connection.vendor == "sqlite":
        test["NAME"] = str(shutil.copy(tables.file(), HOME / "test.db"))
    else:
        test["TEMPLATE"] = tables.template()


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """SQLite's file is the copy, so it is not made anew; it goes with the home."""
    return "sqlite" in os.environ["POSTROAD_DATABASE_URL"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The test database can be dropped although a test's worker still listens on it.

    Between tests that commit rows are deleted: TRUNCATE makes new files for each table and each index, a second's work.
    """
    from django.db import connection

    def delete(style, tables, **_):
        return ["; ".join(f'DELETE FROM "{table}"' for table in tables)] if tables else []

    if connection.vendor == "postgresql":
        connection.ops.sql_flush = delete
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


class NameServer:
    """A name server on loopback that tells a zone: `zone["_dmarc.example.org"] = {"TXT": ["v=DMARC1; p=reject"]}`.

    Names that stand for another answer: `SILENT` never answers, `BROKEN` says SERVFAIL. `asked` keeps the questions.
    """

    SILENT, BROKEN = "silent", "broken"

    def __init__(self) -> None:
        self.zone: dict[str, dict[str, list[str]] | str] = {}
        self.asked: list[tuple[str, str]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._socket.getsockname())
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(4096)
            if not data:
                return
            question = dns.message.from_wire(data)
            name = question.question[0].name.to_text().rstrip(".").lower()
            kind = dns.rdatatype.to_text(question.question[0].rdtype)
            self.asked.append((name, kind))
            known = self.zone.get(name)
            if known != self.SILENT:
                self._socket.sendto(self._answer(question, known, kind).to_wire(), peer)

    def _answer(self, question, known, kind):
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        if known == self.BROKEN:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif known is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        for text in known.get(kind, []) if isinstance(known, dict) else []:
            pieces = " ".join(f'"{text[i : i + 200]}"' for i in range(0, len(text), 200)) if kind == "TXT" else text
            answer.answer.append(dns.rrset.from_text(question.question[0].name, 300, "IN", kind, pieces))
        return answer


@pytest.fixture
def name_server(settings):
    """DNS as the site sees it, with an empty zone; nothing is remembered from before."""
    from postroad.foundation.authentication.dns import forget
    from postroad.foundation.sections import Dns

    server = NameServer()
    dns_settings = Dns(servers=(server.address,), timeout_seconds=0.5, lifetime_seconds=1)
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, dns=dns_settings)
    forget()
    yield server
    forget()
    server.close()


@pytest.fixture(autouse=True)
def nobody_counted():
    """Attempts to sign in are counted by address and machine: those of a test are not held against the next."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def rest(db):
    """Calls REST as the site's own credential, without a network."""
    from rest_client import Rest

    return Rest()


@pytest.fixture
def ant(db):
    """The list ant@example.com, as it is made."""
    from postroad.community.lists import actions as lists

    lists.create_domain("example.com")
    return lists.create_list("ant@example.com")
