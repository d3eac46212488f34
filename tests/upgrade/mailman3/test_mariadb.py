"""An old site whose two databases are MariaDB's: a real server, with a real site's rows in it."""

import re
import shutil
import sqlite3
import subprocess
import time

import pytest
from upgrade.mailman3.compare import Comparison, unexplained

from postroad.upgrade.mailman3 import databases

pymysql = pytest.importorskip("pymysql")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_only, pytest.mark.timeout(600)]

_TYPES = (("BLOB", "LONGBLOB"), ("INT", "INT"), ("BOOL", "TINYINT(1)"), ("DATETIME", "DATETIME(6)"), ("DATE", "DATE"),
          ("FLOAT", "DOUBLE"), ("TEXT", "LONGTEXT"))  # fmt: skip


@pytest.fixture
def server(tmp_path_factory):
    """A MariaDB of our own; its socket."""
    if shutil.which("mariadbd") is None or shutil.which("mariadb-install-db") is None:
        pytest.skip("MariaDB is not installed")
    folder = tmp_path_factory.mktemp("m")
    socket = str(folder / "s")
    common = [f"--datadir={folder}/data", "--user=root"]
    subprocess.run(
        ["mariadb-install-db", *common, "--auth-root-authentication-method=normal"], check=True, capture_output=True
    )
    running = subprocess.Popen(
        ["mariadbd", *common, f"--socket={socket}", "--skip-networking", f"--pid-file={folder}/p"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(300):
        try:
            pymysql.connect(unix_socket=socket, user="root").close()
            break
        except pymysql.err.OperationalError:
            time.sleep(0.1)  # The server has no word for being ready but its socket.
    yield socket
    running.terminate()
    running.wait(60)


def copy(old: sqlite3.Connection, socket: str, name: str, collation: str) -> str:
    """All tables of an SQLite database, as MariaDB would have them; its URL."""
    made = pymysql.connect(unix_socket=socket, user="root", charset="utf8mb4", autocommit=True)
    old.text_factory = bytes
    with made.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE {collation}")
        cursor.execute(f"USE {name}")
        cursor.execute("SET sql_mode = ''")
        for (table,) in old.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        ).fetchall():
            table = table.decode()
            columns = [
                (row[1].decode(), row[2].decode().upper(), row[5])
                for row in old.execute(f'PRAGMA table_info("{table}")')
            ]
            described = ", ".join(f"`{name}` {_type(kind, key)}" for name, kind, key in columns)
            cursor.execute(f"CREATE TABLE `{table}` ({described})")
            rows = old.execute(f'SELECT * FROM "{table}"').fetchall()
            if rows:
                marks = ", ".join(["%s"] * len(columns))
                blobs = [kind.startswith("BLOB") for _, kind, _ in columns]
                cursor.executemany(
                    f"INSERT INTO `{table}` VALUES ({marks})",
                    [
                        tuple(
                            v if not isinstance(v, bytes) or b else v.decode() for v, b in zip(row, blobs, strict=True)
                        )
                        for row in rows
                    ],
                )
    made.close()
    return f"mysql://root@/{name}?unix_socket={socket}"


def _type(kind: str, key: int) -> str:
    found = next((theirs for ours, theirs in _TYPES if re.match(rf"(TINY|SMALL|BIG)?{ours}", kind)), None)
    return found or ("VARCHAR(255)" if key else "LONGTEXT")


def test_a_site_on_mariadb_comes_in_like_any_other(old_site, server, monkeypatch):
    # Old sites have every collation there is; one that does not tell case or accents apart hides nothing.
    collations = {"core": "utf8mb4_general_ci", "web": "utf8mb4_unicode_ci"}
    urls = {
        half: copy(old_site.connect(half), server, f"old_{half}", collation) for half, collation in collations.items()
    }
    report = old_site.bring_in(**urls)
    assert next(k for k in report.kinds if k.kind == "archived mails").new == 692
    comparison = Comparison(old_site.truth)
    for section in ("domains", "lists", "members", "waiting", "accounts", "archives"):
        getattr(comparison, section)()
    assert unexplained(comparison.found) == []
    keys_that_differ_by_case_alone_are_all_read(server, monkeypatch)


def keys_that_differ_by_case_alone_are_all_read(server, monkeypatch):
    """One server does for both rules, since it takes seconds to make."""
    old = sqlite3.connect(":memory:")
    old.execute("CREATE TABLE hyperkitty_sender (address TEXT, name TEXT)")
    emails = {"ann@x.example", "Ann@x.example", "ANN@x.example", "änn@x.example", "bob@x.example", "bob@x.example "}
    old.executemany("INSERT INTO hyperkitty_sender VALUES (?, 'A')", [(email,) for email in emails])
    monkeypatch.setattr(databases, "PIECE", 1)
    there = databases.OldDatabase(databases.place_of(copy(old, server, "senders", "utf8mb4_general_ci")))
    found = [row["address"] for row in there.rows("hyperkitty_sender", ("address",), key=("address",))]
    assert sorted(found) == sorted(emails)
    there.close()
