"""Makes a Mailman 3 site of any size, with the tables of a real one: `old_mailman3.py DIR [SCALE]`."""

import lzma
import random
import sqlite3
import sys
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SITE = Path(__file__).parents[1] / "tests/upgrade/mailman3/sites/I3310"
HOST = "lists.example.com"
WORDS = (  # noqa: SIM905 — as one reads them
    "release meeting patch server archive question answer document compile branch review thread member mailing list"
    " note schedule garden weather holiday budget station bridge letter season window market river"
).split()
EPOCH = 1_400_000_000
Rows = Iterator[dict[str, Any]]


def make(folder: Path, scale: float = 1.0) -> None:
    """1.0 is 1,000 lists, 100,000 members and 300,000 mails in 75,000 threads."""
    lists, people, mails = int(1000 * scale), int(50_000 * scale), int(300_000 * scale)
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(1)
    core, pattern = database(folder / "mailman.db", "mailman.db")
    web, _ = database(folder / "mailman-web.db", "mailman-web.db")
    fill_core(core, pattern, lists, people, chance)
    fill_web(web, lists, people, mails, chance)
    (folder / "queue").mkdir()
    (folder / "mailman.cfg").write_text(
        f"[mailman]\nlayout: here\n[paths.here]\nvar_dir: {folder}\n[database]\nurl: sqlite:///{folder}/mailman.db\n"
    )
    (folder / "settings.py").write_text(
        f"DATABASES = {{'default': {{'ENGINE': 'django.db.backends.sqlite3', 'NAME': '{folder}/mailman-web.db'}}}}\n"
    )


def database(path: Path, name: str) -> tuple[sqlite3.Connection, dict[str, Any]]:
    """An empty database with the tables of a real one, and the row of a real list."""
    path.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile() as file:
        file.write(lzma.decompress((SITE / "db" / f"{name}.xz").read_bytes()))
        file.flush()
        old = sqlite3.connect(file.name)
        old.row_factory = sqlite3.Row
        tables = [row[0] for row in old.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")]
        pattern = (
            dict(old.execute("SELECT * FROM mailinglist WHERE list_name='dev'").fetchone()) if name[7] == "." else {}
        )
        old.close()
    made = sqlite3.connect(path)
    made.execute("PRAGMA synchronous=OFF")
    for sql in tables:
        if "sqlite_sequence" not in sql:
            made.execute(sql)
    return made, pattern


def insert(to: sqlite3.Connection, table: str, rows: Rows) -> None:
    """All rows of a table; they have the same columns."""
    first = next(rows, None)
    if first is None:
        return
    columns = ", ".join(f'"{name}"' for name in first)
    marks = ", ".join("?" for _ in first)
    sql = f'INSERT INTO "{table}" ({columns}) VALUES ({marks})'
    to.execute(sql, tuple(first.values()))
    to.executemany(sql, (tuple(row.values()) for row in rows))


def moment(seconds: float) -> str:
    """As both halves write it."""
    return datetime.fromtimestamp(EPOCH + seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S.000000")


def fill_core(
    core: sqlite3.Connection, pattern: dict[str, Any], lists: int, people: int, chance: random.Random
) -> None:
    """Lists, users with one address each, two memberships each, preferences of all."""
    columns = {row[1] for row in core.execute("PRAGMA table_info(mailinglist)")}
    base = {key: value for key, value in pattern.items() if key in columns}
    core.execute("INSERT INTO domain (id, mail_host, description) VALUES (1, ?, '')", (HOST,))
    insert(core, "mailinglist", (
        {**base, "id": n, "list_name": f"list{n}", "mail_host": HOST, "list_id": f"list{n}.{HOST}"}
        for n in range(1, lists + 1)
    ))  # fmt: skip
    none = dict.fromkeys(("acknowledge_posts", "hide_address", "delivery_mode", "delivery_status"))
    insert(core, "preferences", (
        {"id": n, "preferred_language": "en" if n % 4 == 0 else None, **none} for n in range(1, people * 4 + 1)
    ))  # fmt: skip
    insert(core, "user", (
        {
            "id": n, "display_name": f"Person {n}", "password": None, "_user_id": uuid.UUID(int=n).hex,
            "_created_on": moment(n), "is_server_owner": 0, "_preferred_address_id": n, "preferences_id": n,
        }
        for n in range(1, people + 1)
    ))  # fmt: skip
    insert(core, "address", (
        {
            "id": n, "email": f"person{n}@example.org", "_original": None, "display_name": f"Person {n}",
            "verified_on": moment(n), "registered_on": moment(n), "user_id": n, "preferences_id": people + n,
        }
        for n in range(1, people + 1)
    ))  # fmt: skip
    insert(core, "member", (
        {
            "id": n, "_member_id": uuid.UUID(int=2**64 + n).hex, "role": 1,
            "list_id": f"list{(n * 7 + n // people) % lists + 1}.{HOST}", "moderation_action": None,
            "address_id": (n - 1) % people + 1, "user_id": None, "preferences_id": people * 2 + n, "bounce_score": 0,
            "last_bounce_received": None, "last_warning_sent": "0001-01-01 00:00:00.000000", "total_warnings_sent": 0,
        }
        for n in range(1, people * 2 + 1)
    ))  # fmt: skip
    core.commit()


def text(chance: random.Random) -> str:
    """About a kilobyte, in lines."""
    return "\n".join(" ".join(chance.choices(WORDS, k=12)) for _ in range(chance.randint(4, 24)))


def fill_web(web: sqlite3.Connection, lists: int, people: int, mails: int, chance: random.Random) -> None:
    """A tenth of the people have accounts; four mails make a thread, one in ten has an attachment, one a vote."""
    insert(web, "auth_user", (
        {
            "id": n, "password": "!", "is_superuser": 0, "username": f"person{n}", "first_name": "Person",
            "last_name": str(n), "email": f"person{n}@example.org", "is_staff": 0, "is_active": 1,
            "date_joined": moment(n),
        }
        for n in range(1, people // 10 + 1)
    ))  # fmt: skip
    insert(web, "account_emailaddress", (
        {"id": n, "email": f"person{n}@example.org", "verified": 1, "primary": 1, "user_id": n}
        for n in range(1, people // 10 + 1)
    ))  # fmt: skip
    insert(web, "hyperkitty_mailinglist", (
        {
            "id": n, "name": f"list{n}@{HOST}", "list_id": f"list{n}.{HOST}", "display_name": f"List{n}",
            "description": "", "subject_prefix": "", "archive_policy": 2, "created_at": moment(0),
        }
        for n in range(1, lists + 1)
    ))  # fmt: skip
    insert(web, "hyperkitty_sender", (
        {"address": f"person{n}@example.org", "mailman_id": None} for n in range(1, people + 1)
    ))  # fmt: skip
    threads = mails // 4
    insert(web, "hyperkitty_thread", (
        {
            "id": n, "mailinglist_id": n % lists + 1, "thread_id": f"{n:032d}", "date_active": moment(n * 4000),
            "category_id": None, "starting_email_id": None,
        }
        for n in range(1, threads + 1)
    ))  # fmt: skip
    insert(web, "hyperkitty_email", _mails(mails, threads, lists, people, chance))
    insert(web, "hyperkitty_attachment", (
        {
            "id": n, "email_id": n * 10, "counter": 2, "name": "a.bin", "content_type": "application/octet-stream",
            "encoding": None, "size": 2000, "content": chance.randbytes(2000),
        }
        for n in range(1, mails // 10 + 1)
    ))  # fmt: skip
    insert(web, "hyperkitty_vote", (
        {"id": n, "email_id": n * 10, "user_id": n % max(1, people // 10) + 1, "value": 1}
        for n in range(1, mails // 10 + 1)
    ))  # fmt: skip
    web.commit()


def _mails(mails: int, threads: int, lists: int, people: int, chance: random.Random) -> Rows:
    for n in range(1, mails + 1):
        thread = (n - 1) % threads + 1
        is_first = n <= threads
        yield {
            "id": n, "message_id": f"{n}.mail@example.org", "message_id_hash": f"{n:032d}",
            "mailinglist_id": thread % lists + 1, "sender_id": f"person{n % people + 1}@example.org",
            "sender_name": f"Person {n % people + 1}", "subject": f"{'' if is_first else 'Re: '}Subject {thread}",
            "content": text(chance), "date": moment(n * 1000), "timezone": 60,
            "in_reply_to": None if is_first else f"{n - threads}.mail@example.org",
            "parent_id": None if is_first else n - threads, "thread_id": thread, "archived_date": moment(n * 1000 + 5),
            "thread_depth": 0, "thread_order": 0,
        }  # fmt: skip


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve(), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
