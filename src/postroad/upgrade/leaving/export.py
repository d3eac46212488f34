"""`postroad export`: lists in formats any other program reads: JSON, JSON lines, mbox (docs/guides/leaving.md)."""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import msgspec

from postroad.community.bans.models import Ban
from postroad.community.lists.models import MailingList
from postroad.community.lists.register import all_settings
from postroad.community.lists.values import to_wire
from postroad.community.notices.models import OwnText
from postroad.community.people.models import PREFERENCE_NAMES
from postroad.community.subscriptions.models import Member
from postroad.foundation.errors import Conflict
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.moderation.models import HeldMessage
from postroad.upgrade.leaving.backup import one_moment

_QUOTED = re.compile(rb"^(>*From )", re.MULTILINE)
_BATCH = 200
_README = """This folder was written by `postroad export`. Each list has a folder of its own, named by its list-id:

  list.json      what it is called, its settings, header checks, bans and own texts
  members.jsonl  a line of JSON for each member, owner, moderator and known nonmember
  archive.mbox   every archived mail as it came, oldest first (mboxrd: a line `>From ` was `From `)
  held.mbox      posts that wait for a moderator

Passwords and secrets are not in it. It holds addresses of people: treat it accordingly.
"""


def export(folder: Path, lists: Iterable[MailingList], say: Callable[[str], object] = lambda _: None) -> int:
    """Write these lists into a new folder, all as of one moment; how many mails there were.

    Raises:
        Conflict: the folder exists and is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty; name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _write(folder / "README.txt", [_README.encode()])
    total = 0
    with one_moment():
        for mailing_list in lists:
            count = _export_list(folder / mailing_list.list_id, mailing_list)
            say(f"{mailing_list.list_id:50}{count:>10,} mails")
            total += count
    return total


def _export_list(folder: Path, mailing_list: MailingList) -> int:
    folder.mkdir(mode=0o700)
    _write(folder / "list.json", [msgspec.json.format(msgspec.json.encode(_about(mailing_list))), b"\n"])
    _write(folder / "members.jsonl", (msgspec.json.encode(member) + b"\n" for member in _members(mailing_list)))
    held = HeldMessage.objects.filter(mailing_list=mailing_list).values_list("message", "held_at", "sender")
    _write(folder / "held.mbox", _mbox(held))
    mails = Mail.objects.filter(mailing_list=mailing_list).order_by("date", "pk")
    return _write(folder / "archive.mbox", _mbox(mails.values_list("message", "date", "sender_email")))


def _write(path: Path, pieces: Iterable[bytes]) -> int:
    """Write a file for its owner alone; how many pieces it had."""
    count = 0
    out: IO[bytes]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        for piece in pieces:
            out.write(piece)
            count += 1
    return count


def _about(mailing_list: MailingList) -> dict[str, Any]:
    settings = {n: to_wire(s, s.of(mailing_list)) for n, s in all_settings().items() if s.kind != "password"}
    texts = OwnText.objects.filter(context=mailing_list.list_id).order_by("name", "language")
    return {
        "list_id": mailing_list.list_id, "address": mailing_list.fqdn_listname, "style": mailing_list.style_name,
        "created_at": mailing_list.created_at, "settings": settings,
        "header_checks": list(mailing_list.header_matches.values("header", "pattern", "action", "tag")),
        "bans": list(Ban.objects.filter(mailing_list=mailing_list).order_by("email").values_list("email", flat=True)),
        "texts": list(texts.values("name", "language", "text")),
    }  # fmt: skip


def _members(mailing_list: MailingList) -> Iterator[dict[str, Any]]:
    rows = Member.objects.filter(mailing_list=mailing_list).select_related("address", "user__preferred_address")
    for member in rows.order_by("role", "pk").iterator(chunk_size=1000):
        address = member.effective_address
        yield {
            "role": member.role, "address": address.original_email if address else None,
            "name": address.display_name if address else "", "subscribed_as": member.subscription_mode,
            "since": member.created_at, "moderation_action": member.moderation_action,
            "bounce_score": member.bounce_score,
            "preferences": {name: v for name in PREFERENCE_NAMES if (v := getattr(member, name)) is not None},
        }  # fmt: skip


def _mbox(rows: Any) -> Iterator[bytes]:
    """Mails as mboxrd, the dialect from which each comes back byte for byte (RFC 4155 appendix A)."""
    batch: list[tuple[str, datetime, str]] = []
    for row in rows.iterator(chunk_size=1000):
        batch.append(row)
        if len(batch) == _BATCH:
            yield from _mails(batch)
            batch = []
    yield from _mails(batch)


def _mails(batch: list[tuple[str, datetime, str]]) -> Iterator[bytes]:
    contents = storage.load_many(key for key, _, _ in batch)
    for key, at, sender in batch:
        raw = contents.get(key)
        if raw is not None:
            who = re.sub(r"\s", "", sender) or "MAILER-DAEMON"
            line = f"From {who} {time.asctime(at.utctimetuple())}\n".encode("utf-8", "replace")
            yield line + _QUOTED.sub(rb">\1", raw) + (b"\n" if raw.endswith(b"\n") else b"\n\n")
