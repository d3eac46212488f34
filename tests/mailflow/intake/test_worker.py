"""One mail that cannot be kept holds up no other; a database that is full or away makes every sender try again."""

import asyncio
import os
from collections import Counter

import psycopg
import pytest
from django.db import connection

from postroad.community.lists import actions as lists
from postroad.community.lists.models import MailingList
from postroad.foundation.queue.models import Step
from postroad.mailflow.intake import worker
from postroad.mailflow.intake.actions import ACCEPTED, NO_SUCH_LIST
from postroad.mailflow.intake.events import Transaction

pytestmark = pytest.mark.django_db(transaction=True)

GOOD, BAD = Transaction("", ("ant@example.com",), b"good"), Transaction("", ("ant@example.com",), b"refuse me")
NOT_STORED = "It cannot be stored just now, please try again."


@pytest.fixture(autouse=True)
def ant():
    lists.create_domain("example.com")
    return lists.create_list("ant@example.com")


@pytest.fixture
def picky():
    """A database that fails, in the words given, when a mail of the size of BAD is stored."""

    def fail_with(words, state="P0001"):
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute(
                    f"CREATE TRIGGER picky BEFORE INSERT ON storage_blob WHEN NEW.size = {len(BAD.data)}"
                    f" BEGIN SELECT RAISE(ABORT, '{words}'); END"
                )
            else:
                cursor.execute(
                    "CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql AS"
                    f" $$ BEGIN RAISE EXCEPTION '{words}' USING ERRCODE = '{state}'; END $$"
                )
                cursor.execute(
                    "CREATE TRIGGER picky BEFORE INSERT ON storage_blob FOR EACH ROW"
                    f" WHEN (NEW.size = {len(BAD.data)}) EXECUTE FUNCTION picky()"
                )

    yield fail_with
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER IF EXISTS picky")
        else:
            cursor.execute("DROP FUNCTION IF EXISTS picky CASCADE")


def told(replies):
    return [(reply.code, reply.enhanced) for one in replies for reply in one]


def test_one_mail_holds_up_no_other(picky):
    picky("this one cannot be stored")
    first, second, third = worker._kept([GOOD, BAD, GOOD])
    assert (first, third) == ([ACCEPTED], [ACCEPTED])
    assert told([second]) == [(451, "4.3.0")]
    assert second[0].text == NOT_STORED


@pytest.mark.sqlite_only
def test_a_full_database_file_is_told_and_nothing_is_half_kept():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        cursor.execute("PRAGMA freelist_count")
        free = cursor.fetchone()[0] * 4096  # What tests before left behind.
    incompressible = os.urandom(1_000_000 + free)
    assert told(worker._kept([Transaction("", ("ant@example.com",), incompressible)])) == [(452, "4.3.1")]
    assert worker._kept([GOOD]) == [[ACCEPTED]], "a new connection knows no limit: there is room again"


def test_a_full_disk_of_the_server_is_told(picky):
    if connection.vendor == "sqlite":
        pytest.skip("these are PostgreSQL's words; SQLite's full file has a test of its own")
    picky("could not extend file: No space left on device", "53100")
    assert told(worker._kept([GOOD, BAD])) == [(452, "4.3.1")] * 2


def test_a_database_that_is_away_makes_every_sender_try_again_and_is_found_when_it_is_back(tmp_path):
    if connection.vendor == "sqlite":
        file = connection.settings_dict["NAME"]
        connection.close()
        connection.settings_dict["NAME"] = str(tmp_path / "a disk that is not mounted" / "postroad.db")
        try:
            assert told(worker._kept([GOOD, GOOD])) == [(451, "4.3.0")] * 2
        finally:
            connection.settings_dict["NAME"] = file
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            mine = cursor.fetchone()[0]
        server = connection.settings_dict
        with psycopg.connect(
            host=server["HOST"], port=server["PORT"], user=server["USER"], dbname=server["NAME"]
        ) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (mine,))
        assert told(worker._kept([GOOD, GOOD])) == [(451, "4.3.0")] * 2
    assert worker._kept([GOOD]) == [[ACCEPTED]]


def test_a_list_that_went_between_rcpt_and_data_is_told(ant):
    assert MailingList.objects.filter(pk=ant.pk).update(list_name="bee")
    assert worker._kept([GOOD]) == [[NO_SUCH_LIST]]


def test_clients_that_send_at_the_same_time_share_a_commit(monkeypatch):
    monkeypatch.setattr(worker, "TOGETHER_SECONDS", 5.0)

    async def send(rounds, clients):
        intake = worker.Intake()
        for _ in range(rounds):
            await asyncio.gather(*(intake.message(GOOD) for _ in range(clients)))
        intake.close()

    asyncio.run(send(rounds=3, clients=8))
    by_commit = Counter(Step.objects.filter(stage="intake").values_list("at", flat=True))
    assert sum(by_commit.values()) == 24
    assert by_commit[max(by_commit)] == 8
