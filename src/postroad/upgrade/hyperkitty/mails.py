"""Steps: mails with their attachments, and replies that came before what they answer."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from postroad.foundation.message.lines import with_crlf
from postroad.foundation.message.message_id import message_id_hash
from postroad.mailflow.archive import moving_in as archive
from postroad.mailflow.archive.models import Mail, Thread
from postroad.mailflow.archive.tending import remove_mails
from postroad.upgrade.changed_here import MAILS
from postroad.upgrade.hyperkitty.archives import LONGEST_KEY, Archives, ListKey
from postroad.upgrade.hyperkitty.originals import Spot
from postroad.upgrade.hyperkitty.rebuilding import Attachment, Kept, Old, prepared
from postroad.upgrade.importing.on_disk import OnDisk
from postroad.upgrade.importing.plan import Batch, Item, Step, fingerprint_of
from postroad.upgrade.mailman3.databases import OldDatabase, Row
from postroad.upgrade.mailman3.values import EPOCH, moment, octets, text

_LIGHT = (
    "id", "mailinglist_id", "message_id", "message_id_hash", "sender_id", "sender_name", "subject", "date", "timezone",
    "in_reply_to", "parent_id", "thread_id", "archived_date",
)  # fmt: skip
_ATTACHMENT = ("id", "email_id", "counter", "name", "content_type", "encoding", "content")
_KIND = "archived mails"


class Mails:
    """Reads and writes mails."""

    def __init__(self, archives: Archives, attachments: Path | None) -> None:
        self._archives, self._folder = archives, attachments
        self._tops = archive.Tops(OnDisk())

    @property
    def _web(self) -> OldDatabase:
        return self._archives.web

    def steps(self) -> tuple[Step, ...]:
        """In their order."""
        return (
            Step(_KIND, self._read, self._write, lambda: self._web.count("hyperkitty_email"),
                 weigh=self._weigh, fetch=self._fetch, prepare=prepared, rows=MAILS,
                 remove=remove_mails, lasting=True),
            Step("late parents", self._read_late, self._write_late),
        )  # fmt: skip

    def _read(self) -> Iterator[Item]:
        for row in self._web.rows("hyperkitty_email", _LIGHT):
            # The mail itself never changes there; where it stands does.
            told = fingerprint_of(row["id"], row["thread_id"], row["parent_id"], row["message_id"])
            yield Item(str(row["id"]), Old(row), f"<{text(row['message_id'])}>", told)

    # --- what is heavy

    def _weigh(self, items: Sequence[Item]) -> None:
        """What `_fetch` will bring: the text, and the original or else the attachments, of which not all are files."""
        keys = [item.data.row["id"] for item in items if item.target is None]
        texts = self._web.octets("hyperkitty_email", "content", "id", keys)
        inside = self._web.octets("hyperkitty_attachment", "content", "email_id", keys)
        told: dict[int, int] = defaultdict(int)
        for part in self._web.pick("hyperkitty_attachment", ("id", "email_id", "size"), "email_id", keys):
            told[part["email_id"]] += part["size"] or 0
        for item in items:
            key = item.data.row["id"]
            spot = self._original(item.data.row)
            parts = spot.size if spot else max(told[key], inside.get(key, 0))
            item.octets = texts.get(key, 0) + parts

    def _original(self, row: Row) -> Spot | None:
        mailing_list = self._archives.lists.get(row["mailinglist_id"], {})
        return self._archives.originals.find(mailing_list.get("list_id", ""), text(row["message_id"]))

    def _fetch(self, items: Sequence[Item]) -> None:
        """Texts, attachments and originals of mails that are new."""
        new = [item.data for item in items if item.target is None]
        keys = [old.row["id"] for old in new]
        texts = {row["id"]: row["content"] for row in self._web.pick("hyperkitty_email", ("id", "content"), "id", keys)}
        parts: dict[int, list[Row]] = defaultdict(list)
        for row in self._web.pick("hyperkitty_attachment", _ATTACHMENT, "email_id", keys):
            parts[row["email_id"]].append(row)
        for old in new:
            self._fill(old, texts.get(old.row["id"]), sorted(parts[old.row["id"]], key=lambda r: r["counter"] or 0))

    def _fill(self, old: Old, content: Any, parts: Sequence[Row]) -> None:
        row = old.row
        mailing_list = self._archives.lists.get(row["mailinglist_id"], {})
        spot = self._original(row)
        original = spot.read() if spot else None
        attachments = []
        missing = []
        for part in parts if original is None else ():
            data = self._content(mailing_list, row, part)
            if data is None:
                missing.append(text(part["name"]))
            attachments.append(
                Attachment(
                    text(part["name"]), text(part["content_type"]), text(part["encoding"]), data or b"",
                    part["counter"] or 0,
                )
            )  # fmt: skip
        old.missing = tuple(missing)
        old.kept = Kept(
            list_address=mailing_list.get("address", ""), message_id=text(row["message_id"]),
            sender=text(row["sender_id"]), sender_name=self._name(row), subject=text(row["subject"]),
            date=moment(row["date"]) or EPOCH, minutes=row["timezone"] or 0, in_reply_to=text(row["in_reply_to"]),
            text=content if isinstance(content, str) else text(content), attachments=tuple(attachments),
            original=with_crlf(original) if original is not None else None,
        )  # fmt: skip

    @cached_property
    def _names(self) -> OnDisk[str, str]:
        """Names of senders, where an old release kept them apart from the mail."""
        found = OnDisk[str, str]()
        for row in self._web.rows("hyperkitty_sender", ("address", "name"), key=("address",)):
            if row["name"]:
                found[text(row["address"])] = text(row["name"])
        return found

    def _name(self, row: Row) -> str:
        """The author's name; HyperKitty repeats the address where there was none."""
        name = text(row["sender_name"]) or self._names.get(text(row["sender_id"]), "")
        return "" if name == text(row["sender_id"]) else name

    def _content(self, mailing_list: Row, row: Row, part: Row) -> bytes | None:
        """An attachment from its row, else from its file (facts: web schema §3)."""
        if part["content"] is not None:
            return octets(part["content"])
        local, _, host = str(mailing_list.get("address", "")).partition("@")
        digest, number = text(row["message_id_hash"]), str(row["id"])
        if self._folder is None or not digest.isalnum() or "/" in local + host:
            return None
        place = (host, local) if host else (local, "none")
        file = self._folder.joinpath(*place, digest[:2], digest[2:4], digest[4:6], number, str(int(part["counter"])))
        return file.read_bytes() if file.is_file() else None

    # --- writing

    def _write(self, batch: Batch) -> None:
        threads = batch.find("threads", {str(item.data.row["thread_id"]) for item in batch.items})
        alive = set(Thread.objects.filter(pk__in=threads.values()).values_list("pk", flat=True))
        parents = batch.find(_KIND, {str(p) for item in batch.items if (p := item.data.row["parent_id"]) is not None})
        above = dict(Mail.objects.filter(pk__in=parents.values()).values_list("pk", "thread_id"))
        there = self._there([item.data.row for item in batch.items if item.target is None])
        made: dict[int, archive.OldMail] = {}
        moved: dict[int, tuple[int, int | None]] = {}
        for item in batch.items:
            row: Row = item.data.row
            item.target = item.target or there.get((row["mailinglist_id"], text(row["message_id_hash"])))
            thread = threads.get(str(row["thread_id"]))
            if thread is None or row["mailinglist_id"] not in self._archives.here:
                batch.impossible(item, "its list or thread is not here")
            elif len(text(row["message_id_hash"])) > LONGEST_KEY:
                batch.impossible(item, "the hash of its Message-ID is none")
            elif item.target is not None:
                if thread in alive:
                    moved[item.target] = thread, self._alive(parents, above, row)
                batch.done(item, item.target)
            else:
                parent = made.get(row["parent_id"], self._alive(parents, above, row))
                if thread not in alive:
                    thread = parent.thread if isinstance(parent, archive.OldMail) else above.get(parent or 0)
                made[row["id"]] = self._mail(item.data, thread or self._thread_again(row), parent)
        archive.move(moved)
        archive.bring_mails(list(made.values()))
        for item in batch.items:
            if item.data.row["id"] in made:
                batch.done(item, made[item.data.row["id"]].key)
                for name in item.data.missing:
                    batch.impossible(item, "its file is gone; an empty one stands for it", f"attachment {name}")

    @staticmethod
    def _alive(parents: Mapping[str, int], there: Mapping[int, int], row: Row) -> int | None:
        """The mail above, unless somebody took it out of the archive here."""
        parent = parents.get(str(row["parent_id"]))
        return parent if parent in there else None

    def _thread_again(self, row: Row) -> int:
        """The conversation of a new mail, which was taken out of the archive here or joined to another."""
        there = next(iter(self._web.pick("hyperkitty_thread", ("thread_id",), "id", [row["thread_id"]])))
        place = self._archives.here[row["mailinglist_id"]]
        return archive.bring_threads([archive.Conversation(place, text(there["thread_id"]), EPOCH)])[0]

    def _there(self, rows: Sequence[Row]) -> dict[tuple[ListKey, str], int]:
        """Mails that came here another way before HyperKitty had them, by its list and hash."""
        here = self._archives.here
        numbers = {pk: number for number, pk in here.items()}
        hashes = [text(row["message_id_hash"]) for row in rows]
        found = Mail.objects.filter(
            mailing_list__in={here[n] for n in {row["mailinglist_id"] for row in rows} if n in here}
        )
        return {
            (numbers[pk], hash_): key
            for pk, hash_, key in found.filter(message_id_hash__in=hashes).values_list(
                "mailing_list_id", "message_id_hash", "pk"
            )
        }

    def _mail(self, old: Old, thread: int, parent: "int | archive.OldMail | None") -> archive.OldMail:
        row, kept = old.row, old.kept
        assert old.read is not None
        assert kept is not None
        awaits = message_id_hash(kept.in_reply_to) if kept.in_reply_to and row["parent_id"] is None else ""
        return archive.OldMail(
            mailing_list=self._archives.here[row["mailinglist_id"]], thread=thread, content=old.read[0],
            reading=old.read[1], message_id=kept.message_id, message_id_hash=text(row["message_id_hash"]),
            subject=kept.subject, sender_name=kept.sender_name, sender_email=kept.sender, date=kept.date,
            archived_at=moment(row["archived_date"]) or kept.date, parent=parent, awaits=awaits,
        )  # fmt: skip

    # --- replies whose parent came later

    def _read_late(self) -> Iterator[Item]:
        for row in self._web.rows("hyperkitty_email", ("id", "parent_id")):
            if row["parent_id"] is not None and row["parent_id"] > row["id"]:
                yield Item(str(row["id"]), row["parent_id"])

    def _write_late(self, batch: Batch) -> None:
        here = batch.find(_KIND, {key for item in batch.items for key in (item.key, str(item.data))})
        replies = {(here[i.key], here[str(i.data)]): i for i in batch.items if i.key in here and str(i.data) in here}
        threads = dict(Mail.objects.filter(pk__in=here.values()).values_list("pk", "thread_id"))
        same = [pair for pair in replies if threads.get(pair[0]) == threads.get(pair[1])]
        refused = archive.hang(same, self._tops)
        for pair in refused:
            batch.mapped(replies[pair], "its parent is its own reply; it stands at the top")
        for item in batch.items:
            batch.done(item)
