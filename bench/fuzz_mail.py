"""Feeds changed mails to everything that reads mail: each reader answers, within a second, whatever it is given.

    .venv/bin/python bench/fuzz_mail.py headers|mime|archive|bounces|commands|decoration|intake SECONDS [FOLDER]

Mails are cut, joined, repeated and sprinkled with octets that mean something. FOLDER may hold more mails to begin with,
such as a collection of bounces. A mail that breaks a reader is kept in the working folder as `broken-*.eml`.
"""

import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

os.environ.setdefault("POSTROAD_HOME", tempfile.mkdtemp(prefix="postroad-fuzz-"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroad.project.settings")

import django

django.setup()

from postroad.foundation.message.addresses import parse_addresses  # noqa: E402
from postroad.foundation.message.decoration import decorate  # noqa: E402
from postroad.foundation.message.encoded_words import decode_words  # noqa: E402
from postroad.foundation.message.headers import Append, Headers, Remove, apply_edits  # noqa: E402
from postroad.foundation.message.lines import with_crlf  # noqa: E402
from postroad.foundation.message.message_id import date_of, message_id_of, references_of  # noqa: E402
from postroad.foundation.message.mime import MimeTooComplex, walk  # noqa: E402
from postroad.mailflow.archive.reading import read as read_for_archive  # noqa: E402
from postroad.mailflow.archive.render import content_of  # noqa: E402
from postroad.mailflow.bounces import reports  # noqa: E402
from postroad.mailflow.intake.events import MessageReceived, RecipientAsked, Reply  # noqa: E402
from postroad.mailflow.intake.limits import Limits  # noqa: E402
from postroad.mailflow.intake.protocol import Session  # noqa: E402
from postroad.mailflow.mail_commands import instructions  # noqa: E402
from postroad.project.demo.special import SPECIALS  # noqa: E402

LONGEST = 1.0
"""Seconds of CPU."""
LARGEST = 200_000
MEANINGFUL = [
    b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b"--b", b"--b--\r\n", b"(((((", b"))", b"<<<>>>", b"@@@", b"\xff\xfe",
    b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: message/rfc822\r\n", b"\x1b$B", b"+AGE-", b"&#",
    b"Content-Transfer-Encoding: base64\r\n", b"=?utf-8?q?=0D=0A?=", b"=?x?b?////?=", b"charset=utf-7",
    b"Content-Type: text/html\r\n\r\n<b onclick=x>", b"<svg><script>", b'From: a@b.c, "x\\\r\n y" <d@e>\r\n',
    b"Content-Type: message/delivery-status\r\n\r\n", b"Final-Recipient: rfc822; x@y\r\n", b"Status: 5.1.1\r\n",
    b"; charset*0=a; charset*1=b", b"name*=utf-8''%00%0d%0a", b"References: <a@b>\r\n", b"join\r\n", b"confirm ",
    b"Date: Thu, 99 Foo 99999 99:99:99 +9999\r\n",
]  # fmt: skip
SESSIONS = [
    b"LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<ant@example.com>\r\nDATA\r\nSubject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n",
    b"EHLO c\r\nMAIL FROM:<a@b.c> SIZE=9 BODY=8BITMIME\r\nRCPT TO:<ant@e>\r\nBDAT 4\r\nA: bBDAT 4 LAST\r\n\r\n\r\n"
    b"RSET\r\n",
    b"LHLO c\r\nSTARTTLS\r\nNOOP\r\nVRFY x\r\nHELP\r\n"
    b'MAIL FROM:<"a b"@c> SMTPUTF8\r\nRCPT TO:<\xc3\xbc@e>\r\nDATA\r\n..\r\n.\r\n',
]


def read_headers(raw: bytes) -> None:
    headers = Headers.parse(raw)
    parse_addresses(value for name in ("from", "to", "cc", "reply-to") for value in headers.get_all(name))
    decode_words(headers.get("subject") or "")
    message_id_of(headers), references_of(headers), date_of(headers)
    assert apply_edits(raw, []) == raw, "an edit of nothing changed something"
    apply_edits(raw, [Remove("subject"), Append("List-Id", "<ant.example.com>")])


def read_parts(raw: bytes) -> None:
    try:
        for part in walk(raw).walk():
            assert 0 <= part.start <= part.body <= part.end <= len(raw)
            if not part.is_multipart:
                part.text(raw).encode()
    except MimeTooComplex:
        return


def read_archive(raw: bytes) -> None:
    reading = read_for_archive(raw)
    assert "\0" not in "".join((reading.subject, reading.sender_name, reading.preview, *reading.words))
    content_of(raw, address="/x/", obscure=True)


def read_bounce(raw: bytes) -> None:
    report = reports.read(raw)
    reports.returned_fields(report, "message-id")


def read_commands(raw: bytes) -> None:
    found = instructions.read(Headers.parse(raw), raw, 10)
    for line in found.lines:
        instructions.words_of(line, ("join", "help"))


def read_decoration(raw: bytes) -> None:
    raw = with_crlf(raw)
    decorate(raw, "top\n", "$user_email\n", frozenset({"user_email"})).render({"user_email": "a@b.c"})


def converse(raw: bytes) -> None:
    session = Session(Limits(line=1000, data_line=2000, size=50_000, recipients=5, errors=5), "lmtp", "mx")
    for start in range(0, len(raw), 97):
        events = session.receive(raw[start : start + 97])
        while events:
            match events[-1]:
                case RecipientAsked():
                    events = session.answer_recipient(None)
                case MessageReceived(transaction):
                    events = session.answer_message([Reply(250, "2.0.0", "OK")] * len(transaction.recipients))
                case _:
                    break
        for line in session.outgoing().split(b"\r\n")[:-1]:
            assert line[:3].isdigit(), line


READERS: dict[str, Callable[[bytes], None]] = {
    "headers": read_headers, "mime": read_parts, "archive": read_archive, "bounces": read_bounce,
    "commands": read_commands, "decoration": read_decoration, "intake": converse,
}  # fmt: skip


def corpus(kind: str, folder: str) -> list[bytes]:
    if kind == "intake":
        return list(SESSIONS)
    found = [made(special.fill) for special in SPECIALS]
    found.append(
        b"From: a@b.c\r\nSubject: =?utf-8?q?h=C3=BC?=\r\nDate: Thu, 26 Nov 2026 12:00:00 +0100\r\n\r\njoin\r\nhelp\r\n"
    )
    if folder:
        found += [
            path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file() and path.stat().st_size
        ]
    return found


def made(fill: Callable[[EmailMessage], None]) -> bytes:
    """One of the demo's mails: HTML, attachments, pictures, many scripts."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = "Ada <ada@example.org>", "garden@lists.example.org", "Grüße"
    mail["Message-ID"], mail["References"] = "<a@example.org>", "<b@example.org> <c@example.org>"
    fill(mail)
    return mail.as_bytes()


def changed(chance: random.Random, mails: list[bytes]) -> bytes:
    raw = bytearray(chance.choice(mails))
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(raw) + 1)
        match chance.randrange(7):
            case 0 | 1:
                raw[at:at] = chance.choice(MEANINGFUL)
            case 2:
                del raw[at : at + chance.randint(1, 200)]
            case 3:
                raw[at:at] = raw[at : at + chance.randint(1, 300)] * chance.randint(2, 60)
            case 4:
                other = chance.choice(mails)
                start = chance.randrange(len(other))
                raw[at:at] = other[start : start + chance.randint(1, 2000)]
            case 5:
                raw[at : at + 1] = chance.randbytes(chance.randint(1, 8))
            case _:
                raw[at:at] = chance.choice(MEANINGFUL) * chance.randint(1, 400)
    return bytes(raw[:LARGEST])


def main() -> int:
    kind, seconds = sys.argv[1], float(sys.argv[2])
    mails = corpus(kind, sys.argv[3] if len(sys.argv) > 3 else "")
    seed = int(os.environ.get("FUZZ_SEED", time.time()))
    chance, read = random.Random(seed), READERS[kind]
    end, tried, slowest, findings = time.monotonic() + seconds, 0, 0.0, 0
    while time.monotonic() < end and findings < 5:
        raw = changed(chance, mails)
        began = time.process_time()
        try:
            read(raw)
        except Exception:  # noqa: BLE001 — whatever it is, it is a finding
            traceback.print_exc()
            took = LONGEST + 1
        else:
            took = time.process_time() - began
            slowest = max(slowest, took)
        if took > LONGEST:
            findings += 1
            name = f"broken-{kind}-{seed}-{tried}.eml"
            Path(name).write_bytes(raw)
            print(f"{name}: {'failed' if took > LONGEST + 0.9 else f'{took:.1f} s'}", flush=True)
        tried += 1
    print(f"{kind}: {tried:,} mails from seed {seed}, {findings} findings, the slowest took {slowest:.2f} s of CPU")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
