"""The record of progress: what was appended is there after any end of the process, once and in order."""

import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.errors import Conflict
from postroad.mailflow.delivery.journal import MAX_TEXT, Journal

pytestmark = pytest.mark.sqlite_only

texts = st.text(max_size=60)
entries = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**32 - 1), st.integers(0, 599), texts))


@given(st.lists(entries, max_size=5))
def test_entries_come_back_in_order(tmp_path, batches):
    with Journal(tmp_path / "j") as journal:
        for batch in batches:
            journal.append(batch)
        journal.sync()
    with Journal(tmp_path / "j") as journal:
        assert list(journal.replay()) == [entry for batch in batches for entry in batch]
        journal.reset()
        assert list(journal.replay()) == []


@given(entries.filter(bool), entries, st.data())
def test_a_half_written_record_is_passed_over_and_what_follows_is_found(tmp_path, first, second, data):
    path = tmp_path / "j"
    path.unlink(missing_ok=True)
    with Journal(path) as journal:
        journal.append(first[:-1])
        whole = path.stat().st_size
        journal.append(first[-1:])
    size = data.draw(st.integers(whole, path.stat().st_size - 1))
    with path.open("r+b") as file:
        file.truncate(size)
    with Journal(path) as journal:
        assert list(journal.replay()) == first[:-1]
        journal.append(second)
        assert list(journal.replay()) == first[:-1] + second


@given(entries.filter(bool), st.data())
def test_a_damaged_record_costs_only_itself(tmp_path, batch, data):
    path = tmp_path / "j"
    path.unlink(missing_ok=True)
    with Journal(path) as journal:
        ends = [0]
        for entry in batch:
            journal.append([entry])
            ends.append(path.stat().st_size)
        hurt = data.draw(st.integers(0, len(batch) - 1))
        at = data.draw(st.integers(ends[hurt], ends[hurt + 1] - 1))
        content = bytearray(path.read_bytes())
        content[at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        assert list(journal.replay()) == batch[:hurt] + batch[hurt + 1 :]


def test_more_than_one_read_is_put_together(tmp_path):
    many = [(n, n % 500, 250, "2.0.0 ok " + "é" * (n % 90)) for n in range(30_000)]
    with Journal(tmp_path / "j") as journal:
        for start in range(0, len(many), 1000):
            journal.append(many[start : start + 1000])
        assert (tmp_path / "j").stat().st_size > 3_000_000
        assert list(journal.replay()) == many


def test_a_long_text_is_cut_between_characters(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.append([(1, 2, 550, "é" * MAX_TEXT), (1, 3, 550, "\ud800 x")])
        assert list(journal.replay()) == [(1, 2, 550, "é" * (MAX_TEXT // 2)), (1, 3, 550, "? x")]


def test_two_never_share_a_journal(tmp_path):
    with Journal(tmp_path / "j") as journal:
        with pytest.raises(Conflict, match="in use by another process"):
            Journal(tmp_path / "j")
        journal.append([(1, 2, 250, "ok")])
    with Journal(tmp_path / "j") as journal:
        assert list(journal.replay()) == [(1, 2, 250, "ok")]


def test_a_journal_is_for_its_owner_only(tmp_path):
    with Journal(tmp_path / "j"):
        assert (tmp_path / "j").stat().st_mode & 0o777 == 0o600


def test_what_was_appended_survives_a_killed_process(tmp_path):
    """The process says how far it is only after each append, and is killed in the middle of its work."""
    program = (
        "import sys; from pathlib import Path; from postroad.mailflow.delivery.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for n in range(10**9):\n"
        "    journal.append([(7, n, 250, 'ok')]); print(n, flush=True)\n"
    )
    path = tmp_path / "j"
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 2000:
                process.send_signal(signal.SIGKILL)
                break
        said = [2000, *map(int, (line for line in process.stdout if line.endswith("\n")))][-1]
    with Journal(path) as journal:
        found = list(journal.replay())
    assert [entry[1] for entry in found] == list(range(len(found)))
    assert len(found) in {said + 1, said + 2}
