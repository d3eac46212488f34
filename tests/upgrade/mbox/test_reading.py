"""Mailboxes of every format give back the mails that were put in, however badly they are put together."""

import bz2
import gzip
import hashlib
import io
import lzma
import mailbox
import re
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.errors import BadInput, NotFound
from postroad.upgrade.mbox import model, scanning
from postroad.upgrade.mbox.mailboxes import format_of, mails
from postroad.upgrade.mbox.model import Found, Noise
from postroad.upgrade.mbox.recount import contents

pytestmark = pytest.mark.sqlite_only

DAY = b"Mon Mar  1 10:00:00 2004"


def mail(number: int, text: bytes = b"Hello\n", head: bytes = b"") -> bytes:
    return (
        b"From: a@x.example\nDate: Mon, 1 Mar 2004 10:00:%02d +0000\nMessage-ID: <%d@x.example>\n"
        % (number % 60, number)
        + head
        + b"\n"
        + text
    )


def mbox(*raws: bytes, gap: bytes = b"\n", line: bytes = b"From a@x.example  " + DAY + b"\n") -> bytes:
    return b"".join(line + raw + gap for raw in raws)


def found(data: bytes, form: model.Format = "mbox", start: int = 0) -> list[bytes]:
    return [piece.raw for piece in scanning.scan(io.BytesIO(data), form, start) if isinstance(piece, Found)]


def noise(data: bytes, form: model.Format = "mbox") -> list[Noise]:
    return [piece for piece in scanning.scan(io.BytesIO(data), form) if isinstance(piece, Noise)]


@pytest.mark.parametrize(
    "line",
    [
        b"From a@x.example  Mon Mar  1 10:00:00 2004\n",
        b"From a at x.example  Mon Mar  1 10:00:00 2004\n",
        b"From a@x.example Mon Mar 1 10:00:00 +0200 2004\n",
        b"From a@x.example Mon Mar 1 10:00:00 2004 +0200\n",
        b"From a@x.example Mon Mar 1 10:00:00 CET 2004\n",
        b"From a@x.example Mon Mar 1 10:00:00 2004 remote from host\n",
        b"From a@x.example Mon Mar 1 10:00 2004\n",
        b"From - Mon Mar 01 10:00:00 2004\n",
        b'From "a b"@x.example Mon Mar 01 10:00:00 2004\n',
        b"From MAILER-DAEMON Mon, 01 Mar 2004 10:00:00 +0000\n",
        b"From a@x.example 2004-03-01 10:00:00\n",
        b"From a@x.example  Mon Mar  1 10:00:00 2004\r\n",
    ],
)
def test_separators_of_all_programs_are_known(line):
    assert found(mbox(mail(1), mail(2), line=line)) == [mail(1), mail(2)]


def test_text_that_begins_with_from_does_not_split_a_mail():
    """Neither a sentence, nor one with a year and a time, nor a forwarded mail without date."""
    text = (
        b"From here on it gets\nFrom bad to worse.\n\nFrom 10:00:00 in 2004 on\nnothing: happened\n\n"
        b"From someone at x.example  Mon Jan  1 10:00:00 2001\nFrom: someone\nSubject: inner\n\ntext\n"
    )
    assert found(mbox(mail(1, text), mail(2))) == [mail(1, text), mail(2)]


def test_a_missing_empty_line_before_a_separator_does_not_hide_the_next_mail():
    assert found(mbox(mail(1), mail(2), mail(3), gap=b"")) == [mail(1), mail(2), mail(3)]


def test_quoted_lines_are_as_the_author_wrote_them():
    text = b">From the start\nand >From the middle\n>>From a quotation\n"
    assert found(mbox(mail(1, text))) == [mail(1, b"From the start\nand >From the middle\n>>From a quotation\n")]
    assert found(mbox(mail(1, text)), "mboxrd") == [
        mail(1, b"From the start\nand >From the middle\n>From a quotation\n")
    ]
    assert found(mbox(mail(1, text)), "mboxcl2") == [mail(1, text)]


def test_where_all_text_is_quoted_any_header_may_follow_a_separator(tmp_path):
    """Mails without date, id and trace, and such as have no header at all, must not become the end of the one before."""
    bare = [b"From: a@x.example\nSubject: bare\n\ntext\n", b"only text\n", b"\n"]
    file = tmp_path / "archive.mbox"
    file.write_bytes(mbox(mail(1), *bare, mail(2)))
    (tmp_path / "members.jsonl").touch()
    assert format_of(file) == "mboxrd"
    pieces = list(mails(file, "mboxrd"))
    assert [piece.raw for piece in pieces] == [mail(1), *bare, mail(2)]
    assert [digest for _, digest in contents(file, "mboxrd")] == [hashlib.sha256(p.raw).hexdigest() for p in pieces]


def test_a_true_content_length_hides_whatever_stands_in_the_text():
    inner = mbox(mail(7))
    outer = mail(1, inner, b"Content-Length: %d\n" % len(inner))
    assert found(mbox(outer, mail(2)), "mboxcl2") == [outer, mail(2)]


@pytest.mark.parametrize("length", [b"3", b"70", b"99999999", b"999999999999", b"-1", b"x"])
def test_a_false_content_length_is_not_believed(length):
    first = mail(1, b"text\n", b"Content-Length: " + length + b"\n")
    assert found(mbox(first, mail(2)), "mboxcl") == [first, mail(2)]


def test_mails_with_crlf_stay_so():
    raw = mail(1).replace(b"\n", b"\r\n")
    assert found(mbox(raw, mail(2), raw)) == [raw, mail(2), raw]
    data = mbox(mail(1), mail(2)).replace(b"\n", b"\r\n")
    assert found(data) == [mail(1).replace(b"\n", b"\r\n"), mail(2).replace(b"\n", b"\r\n")]


def test_nul_and_noise_inside_a_mail_are_kept():
    raw = mail(1, bytes(range(256)) * 20 + b"\n")
    assert found(mbox(raw, mail(2))) == [raw, mail(2)]


def test_a_file_of_noise_is_told_to_be_noise():
    data = bytes(range(256)) * 5000
    assert found(data) == []
    assert [(piece.at, piece.end) for piece in noise(data)] == [(0, len(data))]
    assert found(b"") == noise(b"") == []


def test_noise_before_the_first_mail_is_told_and_the_mails_are_read():
    data = b"\xff\xfe nothing\n\n" + mbox(mail(1), mail(2))
    assert found(data) == [mail(1), mail(2)]
    assert [(piece.at, piece.end) for piece in noise(data)] == [(0, 12)]


def test_a_single_mail_without_separator_is_read():
    assert found(mail(1)) == [mail(1)]


def test_a_cut_mailbox_gives_what_is_there():
    data = mbox(mail(1), mail(2))
    for size in range(len(mbox(mail(1))) + 120, len(data)):
        assert found(data[:size])[0] == mail(1)


def test_numbers_are_those_pipermail_gave():
    """pipermail took every line that begins with From for a new mail."""
    text = b"one\nFrom here\nFrom there\n"
    data = mbox(mail(1), mail(2, text), mail(3))
    pieces = list(scanning.scan(io.BytesIO(data), "mbox"))
    assert [piece.number for piece in pieces if isinstance(piece, Found)] == [0, 1, 4]


def test_a_mail_larger_than_any_mail_is_cut_in_constant_memory(monkeypatch):
    monkeypatch.setattr(scanning, "LARGEST", 2_000_000)
    monkeypatch.setattr(scanning, "_CHUNK", 1 << 16)
    data = mbox(mail(1, b"x" * 79 + b"\n"), mail(2, (b"y" * 79 + b"\n") * 250_000), mail(3))
    tracemalloc.start()
    pieces = [
        (p.at, p.end, len(p.raw), p.raw[:90]) for p in scanning.scan(io.BytesIO(data), "mbox") if isinstance(p, Found)
    ]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [size for _, _, size, _ in pieces] == [len(mail(1, b"x" * 79 + b"\n")), 2_000_000, len(mail(3))]
    assert pieces[2][1] == len(data)
    assert pieces[1][1] == pieces[2][0]
    assert data[pieces[2][0] :].startswith(b"From a@x.example")
    assert peak < 20_000_000


TEXTS = st.lists(
    st.sampled_from(
        [
            b"Hello",
            b"From here",
            b">From there",
            b">>From there",
            b"",
            b"From: x",
            b"Date: y",
            b"\xff\x00",
            b"a\r",
            b"--b",
        ]
    ),
    max_size=8,
).map(lambda lines: b"".join(line + b"\n" for line in lines))


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_what_is_written_as_mboxrd_comes_back_byte_for_byte(texts):
    raws = [mail(number, text + b"end\n") for number, text in enumerate(texts)]
    quoted = [re.sub(rb"^(>*From )", rb">\1", raw, flags=re.MULTILINE) for raw in raws]
    assert found(mbox(*quoted), "mboxrd") == raws


@given(st.lists(TEXTS, min_size=1, max_size=6), st.integers(1, 300))
def test_reading_begins_anew_at_every_mail(texts, chunk):
    data = mbox(*(mail(number, text) for number, text in enumerate(texts)))
    whole = list(scanning.scan(io.BytesIO(data), "mbox"))
    for at, piece in enumerate(whole):
        if isinstance(piece, Found):
            assert list(scanning.scan(io.BytesIO(data), "mbox", piece.at, piece.number)) == whole[at:]


@given(st.binary(max_size=400), st.sampled_from(model.FORMATS[:-1]))
def test_any_bytes_are_read_to_their_end(data, form):
    pieces = list(scanning.scan(io.BytesIO(data), form))
    assert all(piece.end > piece.at for piece in pieces)
    assert [p.at for p in pieces] == sorted(p.at for p in pieces)


@given(st.lists(st.sampled_from([mbox(mail(1)), b"From ", b"\n", scanning.FENCE, mail(2), b"\xff", DAY]), max_size=9))
def test_any_mixture_is_read_to_its_end(parts):
    for form in model.FORMATS[:-1]:
        for piece in scanning.scan(io.BytesIO(b"".join(parts)), form):
            assert piece.end > piece.at


@given(st.lists(st.sampled_from([
    mbox(mail(1)), mbox(mail(3, b">From x\n>>From y\n")), mbox(mail(4, b"1234\n", b"Content-Length: 5\n")),
    mbox(mail(5, b"", b"Content-Length: 120\n")), b"From ", b"\n", scanning.FENCE, mail(2), b"\xff", DAY,
]), max_size=9))  # fmt: skip
def test_who_recounts_a_mailbox_finds_the_same_mails_in_another_way(parts):
    for form in model.FORMATS[:-1]:
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"".join(parts))
            file.flush()
            recounted = list(contents(Path(file.name), form))
        pieces = scanning.scan(io.BytesIO(b"".join(parts)), form)
        assert recounted == [(p.at, hashlib.sha256(p.raw).hexdigest()) for p in pieces if isinstance(p, Found)]


def test_python_s_own_mailboxes_are_read(tmp_path):
    """Written by Python's `mailbox`, which we do not use; it puts an empty line behind each mail of an MMDF file."""
    raws = [mail(number, b"text from me\n") for number in range(5)]
    for kind, form in ((mailbox.mbox, "mbox"), (mailbox.MMDF, "mmdf"), (mailbox.Maildir, "maildir")):
        path = tmp_path / form
        box = kind(path)
        for raw in raws:
            box.add(raw)
        box.close()
        assert format_of(path) == form
        read = [piece.raw for piece in mails(path, format_of(path)) if isinstance(piece, Found)]
        assert sorted(read) == [raw + b"\n" if form == "mmdf" else raw for raw in raws]


def test_a_maildir_goes_on_behind_what_was_read(tmp_path):
    for part in ("cur", "new", "tmp"):
        (tmp_path / part).mkdir()
    for number in (3, 1, 2):
        (tmp_path / "cur" / f"100{number}.x.host:2,S").write_bytes(mail(number))
    (tmp_path / "tmp" / "1000.half").write_bytes(b"half")
    (tmp_path / "new" / "1009.link").symlink_to("/etc/hostname")
    pieces = list(mails(tmp_path, "maildir"))
    assert [p.raw for p in pieces if isinstance(p, Found)] == [mail(1), mail(2), mail(3)]
    assert [p.why for p in pieces if isinstance(p, Noise)] == ["1009.link is no file"]
    assert [p.raw for p in mails(tmp_path, "maildir", 2) if isinstance(p, Found)] == [mail(3)]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_mailbox_is_sent_to_be_unpacked(tmp_path, pack):
    (tmp_path / "x.mbox").write_bytes(pack(mbox(mail(1))))
    with pytest.raises(BadInput, match="is compressed; unpack it"):
        format_of(tmp_path / "x.mbox")


def test_what_is_no_mailbox_is_refused_with_a_reason(tmp_path):
    with pytest.raises(NotFound, match="no mailbox"):
        format_of(tmp_path / "nothing")
    with pytest.raises(BadInput, match="no Maildir"):
        format_of(tmp_path)
