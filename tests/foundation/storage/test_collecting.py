"""Contents nobody refers to are forgotten after a while, and none that somebody needs, even in the same moment."""

import dataclasses
import os
import threading
import time
from collections.abc import Callable

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext

from postroad.community.lists import actions as lists
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.sections import Storage
from postroad.foundation.storage import actions
from postroad.foundation.storage.collecting import collect
from postroad.foundation.storage.models import Blob
from postroad.foundation.storage.orphans import ROUND, adopt, parts_of_today
from postroad.foundation.storage.stores import PARTS
from postroad.mailflow.archive import actions as archiving
from postroad.mailflow.archive import tending

pytestmark = pytest.mark.django_db(transaction=True)

OLD = 30 * 86_400.0


@pytest.fixture(params=["database", "files"])
def home(request, tmp_path, monkeypatch):
    changed = dataclasses.replace(settings.POSTROAD, home=tmp_path, storage=Storage(kind=request.param))
    monkeypatch.setattr(settings, "POSTROAD", changed)
    return tmp_path


@pytest.fixture
def outside(tmp_path, monkeypatch):
    changed = dataclasses.replace(settings.POSTROAD, home=tmp_path, storage=Storage(kind="files"))
    monkeypatch.setattr(settings, "POSTROAD", changed)
    return tmp_path


def age() -> None:
    """Let everything have been kept a month ago."""
    Blob.objects.update(created_at=time.time() - OLD)


def files(home) -> int:
    return sum(1 for path in home.rglob("*") if path.is_file())


def test_what_nobody_names_goes_with_its_file(home):
    key = actions.store(b"nobody needs this" * 20)
    age()
    assert collect() == 1
    assert not Blob.objects.filter(key=key).exists()
    assert files(home) == 0


def test_what_is_young_stays(home):
    actions.store(b"young")
    assert collect() == 0


def test_what_a_mail_of_the_archive_or_of_the_queue_names_stays(home):
    lists.create_domain("example.com")
    ant = lists.create_list("ant@example.com")
    raw = b"Message-ID: <a@b>\r\nSubject: x\r\n\r\nkept\r\n" * 5
    mail = archiving.archive(ant, archiving.Incoming(raw, "a@b", time.time()))
    waiting = actions.store(b"waiting for its stage" * 20)
    envelope = Envelope(journey=queue.new_journey(), message=waiting, message_id="c@d", received_at=time.time())
    with transaction.atomic():
        queue.put("moderation", envelope)
    age()
    assert collect() == 0
    tending.delete_mail(mail)
    assert collect() == 1
    assert actions.load(waiting)


def test_the_waiting_mail_is_not_read_for_contents_that_the_archive_names(home):
    lists.create_domain("example.com")
    incoming = archiving.Incoming(b"Message-ID: <a@b>\r\n\r\nhi\r\n", "a@b", time.time())
    archiving.archive(lists.create_list("ant@example.com"), incoming)
    age()
    with CaptureQueriesContext(connection) as asked:
        collect()
    assert Blob.objects.exists()
    assert not [query for query in asked if "queue_job" in query["sql"]]


def test_what_is_kept_again_is_young_again(home):
    key = actions.store(b"again" * 100)
    age()
    actions.store(b"again" * 100)
    assert collect() == 0
    assert actions.load(key) == b"again" * 100


def kept_at_once(data: bytes, collector: Callable[[], object]) -> bytes:
    """Somebody keeps a content in the moment in which a collector looks at it; what is there when both are done."""
    both = threading.Barrier(2)

    def keep():
        both.wait()
        with transaction.atomic():
            actions.store(data)
        connection.close()

    thread = threading.Thread(target=keep)
    thread.start()
    both.wait()
    collector()
    thread.join()
    return actions.load(actions.key_of(data))


def test_who_keeps_a_content_while_it_is_collected_has_it_afterwards(home):
    """Whichever comes first: the content is there when both are done."""
    for number in range(15):
        data = f"kept and collected {number}".encode() * 30
        actions.store(data)
        age()
        assert kept_at_once(data, collect) == data


# --- what was kept and never committed


def killed_before_its_commit(data: bytes) -> str:
    """Keep a content in a transaction that ends like a killed process's: its file is there, its row is not."""
    with transaction.atomic():
        key = actions.store(data)
        transaction.set_rollback(True)
    return key


def let_days_go_by(home) -> None:
    for path in (path for path in home.rglob("*") if path.is_file()):
        os.utime(path, (time.time() - OLD, time.time() - OLD))


@pytest.mark.parametrize("data", [b"killed" * 100, b"short"], ids=["packed", "as it is"])
def test_a_file_that_no_row_names_is_adopted_and_goes_a_while_later(outside, data):
    key = killed_before_its_commit(data)
    assert adopt() == 0, "it may be of a transaction that is under way"
    let_days_go_by(outside)
    assert (adopt(), adopt()) == (1, 0)
    assert actions.load(key) == data
    assert (collect(), files(outside)) == (0, 1), "who looks into the log has time to save it"
    age()
    assert (collect(), files(outside)) == (1, 0)


def test_each_part_is_looked_through_once_in_its_round(outside, monkeypatch):
    parts = []
    for day in range(ROUND):
        monkeypatch.setattr(time, "time", lambda day=day: 1_800_000_000.0 + day * 86_400)
        parts += parts_of_today()
    assert sorted(parts) == list(PARTS)


def test_a_file_that_was_never_finished_goes(outside):
    actions.store(b"finished" * 100)
    (path,) = (path for path in outside.rglob("*") if path.is_file())
    torn = path.with_name(f".{path.name}.0123456789ab")
    torn.write_bytes(b"torn")
    adopt()
    assert torn.exists()
    let_days_go_by(outside)
    assert (adopt(), torn.exists(), path.exists()) == (0, False, True)


def test_who_keeps_an_orphan_while_it_is_adopted_has_it_afterwards(outside):
    def adopt_and_collect():
        adopt([actions.key_of(data)[:2]])
        collect()

    for number in range(10):
        data = f"an orphan {number}".encode() * 30
        killed_before_its_commit(data)
        let_days_go_by(outside)
        assert kept_at_once(data, adopt_and_collect) == data


def test_every_field_that_names_a_content_is_told():
    """A new table that keeps a key of a content must stand in the settings, or its contents would go."""
    told = {(label, field) for label, field in (*settings.ROWS_THAT_NAME_CONTENTS, *settings.ROWS_THAT_HOLD_ENVELOPES)}
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.CharField) and field.name in ("message", "template") and field.max_length == 64:
                assert (model._meta.label, field.name) in told
            if isinstance(field, models.BinaryField) and field.name == "envelope":
                assert (model._meta.label, field.name) in told
