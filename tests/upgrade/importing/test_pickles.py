"""Old pickles are read as data: plain values come out, and nothing in them can run."""

import contextlib
import io
import pickle
import pickletools
import subprocess
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.upgrade.importing.pickles import Damaged, Record, Refused, load, load_each
from tests.effort import ends_within

pytestmark = pytest.mark.sqlite_only

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.binary(max_size=300) | st.text()
)  # fmt: skip
KEYS = st.integers(-(2**60), 2**60) | st.text(max_size=20) | st.binary(max_size=20) | st.none()
PLAIN = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner) | st.sets(KEYS) | st.frozensets(KEYS)
    ),
    max_leaves=30,
)


@given(PLAIN, st.sampled_from([0, 1, 2, 3, 4, 5]))
def test_plain_values_come_out_as_they_went_in(value, protocol):
    assert load(pickle.dumps(value, protocol)) == value


@given(st.lists(PLAIN, min_size=1, max_size=4))
def test_pickles_that_follow_each_other_are_read_one_by_one(values):
    data = b"".join(pickle.dumps(value, 2) for value in values)
    assert list(load_each(data)) == values


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_dates_and_ordered_dictionaries_become_plain(protocol):
    value = [datetime(2019, 3, 1, 12, 30, 1, 5, tzinfo=UTC), datetime(1999, 1, 2), timedelta(days=3, seconds=7)]
    assert load(pickle.dumps(value, protocol)) == value
    assert load(pickle.dumps(OrderedDict(a=1), protocol)) == {"a": 1}


def test_python_2_strings_are_bytes_and_instances_are_records():
    """What Python 2.7 wrote: quoted text, an old-style instance (INST and BUILD), its attributes as bytes."""
    data = b"(iMailman.UserDesc\nUserDesc\np0\n(dp1\nS'address'\np2\nS'caf\\xe9@x.example'\np3\nsS'digest'\nI01\nsb."
    record = load(data, ["Mailman.UserDesc.UserDesc"])
    assert isinstance(record, Record)
    assert record.name == "Mailman.UserDesc.UserDesc"
    assert record.get("address") == b"caf\xe9@x.example"
    assert record.get("digest") is True
    assert record.get("nothing", 7) == 7


class Ran(list):
    """An innocent kind of list."""


def test_a_kind_of_list_keeps_its_members():
    kind = Ran(["a", "b"])
    for protocol in (1, 2, 4):
        record = load(pickle.dumps(kind, protocol), [f"{Ran.__module__}.Ran"])
        assert isinstance(record, Record)
        assert list(record.items or record.arguments[0]) == ["a", "b"]


def test_a_whole_package_may_be_spoken_of():
    assert load(b"csome.package.deep\nThing\n.", ["some.*"]).text == "some.package.deep.Thing"
    with pytest.raises(Refused, match="something"):
        load(b"csomething\nThing\n.", ["some.*"])


MARK = "/tmp/postroad-pickle-ran"
HOSTILE = {
    "GLOBAL and REDUCE": b"cos\nsystem\n(S'touch " + MARK.encode() + b"'\ntR.",
    "INST": b"(S'touch x'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'touch x'\no.",
    "STACK_GLOBAL": b"\x8c\x02os\x8c\x06system\x93(\x8c\x01xtR.",
    "NEWOBJ": b"csubprocess\nPopen\n(S'x'\nt\x81.",
    "NEWOBJ_EX": b"csubprocess\nPopen\n(S'x'\nt}\x92.",
    "an attribute of a builtin": b"c__builtin__\neval\n(S'1'\ntR.",
    "a dotted name": b"\x8c\x08builtins\x8c\x0fset.__subclass__\x93.",
    "PERSID": b"Pfile\n.",
    "BINPERSID": b"S'x'\nQ.",
    "EXT1": b"\x82\x01.",
    "EXT2": b"\x83\x01\x00.",
    "EXT4": b"\x84\x01\x00\x00\x00.",
    "NEXT_BUFFER": b"\x97.",
    "READONLY_BUFFER": b"\x98.",
    "a call of a value": b"S'x'\n)R.",
    "a call of what a call gave": b"c__builtin__\nset\n)R)R.",
    "BUILD of a name": b"c__builtin__\nset\n}b.",
    "an unknown opcode": b"\xff.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_would_call_or_fetch_is_refused(name):
    with pytest.raises(Refused):
        load(HOSTILE[name])
    assert not Path(MARK).exists()


def test_a_refusal_names_what_was_wanted_and_where():
    with pytest.raises(Refused, match=r"'os\.system'.*at byte 10"):
        load(HOSTILE["GLOBAL and REDUCE"])


def test_an_object_that_python_would_run_is_refused():
    class Evil:
        def __reduce__(self):
            return subprocess.Popen, (["touch", MARK],)

    for protocol in range(6):
        with pytest.raises(Refused, match="Popen"):
            load(pickle.dumps(Evil(), protocol))


BOMBS = {
    "a memo of four thousand millions": b"N\x72\xff\xff\xff\xff.",
    "text of eight exabytes": b"\x8d" + b"\xff" * 7 + b"\x7fx",
    "bytes of minus one": b"T\xff\xff\xff\xffx.",
    "a number of a million digits": b"I" + b"9" * 1_000_000 + b"\n.",
    "a million lists in each other": b"]" * 1_000_000 + b"a" * 999_999 + b".",
    "a key that takes for ever to hash": b"}N\x85" + b"2\x86" * 200 + b"Ns.",
    "keys of equal hash": pickle.dumps({n * (2**61 - 1): None for n in range(1, 30_000)}, 2),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_no_more_than_its_size(name):

    def read():
        with contextlib.suppress(Damaged):
            load(BOMBS[name])

    assert ends_within(5, read, tries=1)


def test_a_pickle_cut_anywhere_is_told_to_be_cut():
    whole = pickle.dumps({"a": [1, 2, ("x", 2.5)], "b": {b"k": None}}, 2)
    for size in range(2, len(whole)):
        with pytest.raises(Damaged):
            load(whole[:size])
    with pytest.raises(Damaged, match="cut short"):
        load(b"")


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_one_of_two_errors(data):
    _read(data)


@given(PLAIN, st.integers(0, 5), st.data())
def test_a_changed_pickle_gives_a_value_or_one_of_two_errors(value, protocol, data):
    raw = bytearray(pickle.dumps(value, protocol))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    _read(bytes(raw))


@given(st.lists(st.sampled_from([op.code.encode("latin-1") for op in pickletools.opcodes]) | st.binary(max_size=3)))
def test_any_opcodes_give_a_value_or_one_of_two_errors(parts):
    _read(b"".join(parts) + b".")


def _read(data: bytes) -> None:
    try:
        list(load_each(data, ["Mailman.*"]))
    except (Refused, Damaged):
        return
    # What we took, Python's own parser can follow too.
    stream = io.BytesIO(data)
    while stream.tell() < len(data):
        for _ in pickletools.genops(stream):
            pass
