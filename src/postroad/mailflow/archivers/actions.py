"""What each archiver of others is given: a file in a Maildir, a program's standard input, a mail to a service."""

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from string import Template

import msgspec

from postroad.community.lists.archivers import values_of
from postroad.community.lists.models import MailingList
from postroad.foundation.configuration import current
from postroad.foundation.errors import TryLater
from postroad.foundation.message.headers import Append, Edit, Headers, Remove, Replace, apply_edits
from postroad.foundation.message.message_id import date_of
from postroad.foundation.message.segments import Template as CopyTemplate
from postroad.foundation.message.segments import encode
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage

_MOST_SAID = 500
"""Characters kept of what a program complained about."""


def with_clear_date(raw: bytes, received_at: float) -> bytes:
    """The post with the time of its reception as Date, where `clobber_date` wants that; the author's is kept beside."""
    archivers = current().archivers
    headers = Headers.parse(raw)
    received, date = datetime.fromtimestamp(received_at, tz=UTC), date_of(headers)
    skew = timedelta(days=archivers.clobber_skew_days)
    is_clear = date is not None and abs(date - received) <= skew
    if archivers.clobber_date == "never" or (archivers.clobber_date == "maybe" and is_clear):
        return raw
    edits: list[Edit] = [Remove("X-Original-Date"), Replace("Date", format_datetime(received.replace(microsecond=0)))]
    edits += [Append("X-Original-Date", value) for value in headers.get_all("date")]
    return apply_edits(raw, edits)


def keep_in_maildir(mailing_list: MailingList, envelope: Envelope, raw: bytes) -> str:
    """Put a post into the list's Maildir; done again after a crash, it is the same file. What became of it.

    Raises:
        TryLater: the file cannot be written.
    """
    folder = current().home / "archives" / "prototype" / mailing_list.fqdn_listname
    name = f"{int(envelope.received_at)}.{envelope.journey}.{socket.gethostname().replace('/', '-')}"
    try:
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        written = folder / "tmp" / name
        with written.open("wb") as file:
            file.write(raw.replace(b"\r\n", b"\n"))
            file.flush()
            os.fsync(file.fileno())
        written.replace(folder / "new" / name)
    except OSError as error:
        raise TryLater(f"the Maildir cannot be written: {error}") from error
    return f"kept as {folder / 'new' / name}"


def run_program(mailing_list: MailingList, _: Envelope, raw: bytes) -> str:
    """Start the site's program with a post on its standard input; what became of it.

    It runs in the list's own folder, as an argument list and not in a shell. After `mhonarc_seconds` it is ended, with
    whatever it started.

    Raises:
        TryLater: it cannot be started, takes too long, or ends with another code than 0.
    """
    site = current().archivers
    folder = current().home / "archives" / "mhonarc" / mailing_list.fqdn_listname
    values = {**values_of(mailing_list), "folder": str(folder)}
    command = [Template(word).safe_substitute(values) for word in site.mhonarc_command]
    if not command:
        raise TryLater("there is no program: set mhonarc_command in [archivers] of postroad.toml")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        program = subprocess.Popen(  # noqa: S603 - the site's owner wrote it; values are whole arguments or parts of one
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise TryLater(f"{command[0]} cannot be started: {error}") from error
    with program:
        try:
            complaint = program.communicate(raw.replace(b"\r\n", b"\n"), timeout=site.mhonarc_seconds)[1]
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            raise TryLater(f"{command[0]} was not done after {site.mhonarc_seconds:g} s") from None
    if program.returncode:
        said = complaint.decode("utf-8", "replace").strip()[-_MOST_SAID:]
        raise TryLater(f"{command[0]} ended with code {program.returncode}: {said}".rstrip(": "))
    return f"taken by {Path(command[0]).name}"


def send_to_service(envelope: Envelope) -> None:
    """Queue the mail that takes a post to mail-archive.com, in the present transaction."""
    raw = with_clear_date(storage.load(envelope.message), envelope.received_at)
    template = storage.store(encode(CopyTemplate([raw])))
    recipients = (current().archivers.mail_archive_recipient,)
    queue.put(
        "delivery", msgspec.structs.replace(envelope, archiver="", template=template, recipients=recipients, verp=False)
    )


def time_is_over(envelope: Envelope) -> bool:
    """Whether a post has waited for an archiver as long as one waits for a mail server."""
    began = envelope.approved_at or envelope.received_at
    return time.time() > began + current().mail.delivery_retry_days * 86_400
