"""What the store promises: the same bytes back, once on the disk however often they are kept."""

import dataclasses
import urllib.request

import pytest
from django.conf import settings
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.errors import NotFound
from postroad.foundation.sections import Storage
from postroad.foundation.storage import actions
from postroad.foundation.storage.models import Blob
from postroad.foundation.storage.orphans import adopt

pytestmark = pytest.mark.django_db

MAIL = b"Subject: hello\r\n\r\n" + b"all work and no play\r\n" * 400


@pytest.fixture(scope="module")
def s3():
    """A small S3 server, and a bucket in it."""
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    storage = Storage(
        kind="s3", bucket="mail", prefix="blobs/", endpoint=f"http://{host}:{port}", access_key="a", secret_key="s"
    )
    urllib.request.urlopen(urllib.request.Request(f"{storage.endpoint}/mail", method="PUT")).close()
    yield storage
    server.stop()


@pytest.fixture(params=["database", "files", "s3"])
def kind(request, tmp_path, monkeypatch):
    """The database, files below a home of its own, or a bucket."""
    storage = request.getfixturevalue("s3") if request.param == "s3" else Storage(kind=request.param)
    changed = dataclasses.replace(settings.POSTROAD, home=tmp_path, storage=storage)
    monkeypatch.setattr(settings, "POSTROAD", changed)
    return request.param


@given(st.binary(max_size=2000))
def test_any_bytes_come_back_as_they_were(kind, data):
    assert actions.load(actions.store(data)) == data


def test_a_mail_is_packed(kind, tmp_path):
    actions.store(MAIL)
    size = len(bytes(Blob.objects.get().data)) + sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())
    assert size < len(MAIL) / 10


def test_equal_contents_are_kept_once(kind):
    keys = actions.store_many([MAIL, b"other", MAIL])
    assert keys[0] == keys[2] == actions.key_of(MAIL)
    assert actions.store(MAIL) == keys[0]
    assert Blob.objects.count() == 2


def test_many_are_read_by_one_query(kind, django_assert_num_queries):
    keys = actions.store_many([MAIL, b"other"])
    with django_assert_num_queries(1):
        assert actions.load_many([*keys, "f" * 64]) == {keys[0]: MAIL, keys[1]: b"other"}


def test_a_content_outside_that_no_row_names_is_adopted(kind):
    data = MAIL + b"left alone\r\n"
    key = actions.store(data)
    Blob.objects.all().delete()
    outside = kind != "database"
    assert adopt([key[:2]], grace=-60.0) == outside
    assert list(Blob.objects.values_list("key", "size")) == [(key, len(data))] * outside


def test_what_was_never_kept_is_not_found(kind):
    with pytest.raises(NotFound, match="ffff"):
        actions.load("f" * 64)


def test_an_undone_transaction_keeps_nothing(kind):
    class Undone(Exception):
        pass

    def undone():
        with transaction.atomic():
            actions.store(MAIL)
            raise Undone

    with pytest.raises(Undone):
        undone()
    with pytest.raises(NotFound):
        actions.load(actions.key_of(MAIL))


def test_a_file_that_is_gone_is_told_by_its_place(kind, tmp_path):
    key = actions.store(MAIL)
    for path in tmp_path.rglob(key):
        path.unlink()
    if kind == "files":
        with pytest.raises(NotFound, match="is gone"):
            actions.load(key)
    else:
        assert actions.load(key) == MAIL


def test_what_is_at_hand_is_not_asked_for_again_and_the_rest_is(django_assert_num_queries):
    keys = actions.store_many([MAIL, b"short", b"not at hand"])
    with actions.at_hand([*keys[:2], "f" * 64]):
        with django_assert_num_queries(0):
            assert [actions.load(key) for key in keys[:2]] == [MAIL, b"short"]
        assert actions.load(keys[2]) == b"not at hand"
        with pytest.raises(NotFound):
            actions.load("f" * 64)
    with django_assert_num_queries(1):
        actions.load(keys[0])


def test_a_content_that_cannot_be_read_holds_up_no_other():
    good, bad = actions.store_many([MAIL, MAIL + MAIL])
    Blob.objects.filter(key=bad).update(data=b"damaged")
    with actions.at_hand([good, bad]):
        assert actions.load(good) == MAIL
        with pytest.raises(Exception, match=r"(?i)zstd|frame|decompress"):
            actions.load(bad)
