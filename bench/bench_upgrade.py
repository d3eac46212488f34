"""A site with many mails moves to a newer release while posts come in by LMTP without a break.

    .venv/bin/python bench/bench_upgrade.py [--mails 300000] [--database URL] [--former COMMIT] [--keep FOLDER]

The newer release is this one with a migration more, which adds a column and an index to the table of mails; or, if a
COMMIT is named, this one is the newer and that the former. Tells the pause as the upgrade reports it, how many posts
were refused or found nobody listening, the slowest reply to a post, and the longest time from a reply until the post
was delivered. MAILS are a few imported ones, multiplied. The site before the upgrade is kept in FOLDER, and a copy of
it is what a next run upgrades; on PostgreSQL the database beside URL's is kept, with `_kept` in its name.
"""

import argparse
import json
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench_archive import made, write_mbox

ROOT = Path(__file__).parents[1]
FEW = 3000
LIST = "garden@bench.example.org"
_COPIED = {
    "storage_blob": ("key", "size, codec, data, created_at", "md5({n} || '-' || key) || md5(key || '-' || {n})"),
    "archive_mail": (
        "message_id_hash",
        "mailing_list_id, thread_id, parent_id, message, message_id, subject, sender_name, sender_email, date,"
        " archived_at, size, preview, attachments, likes, dislikes",
        "substr(md5({n} || '-' || message_id_hash), 1, 32)",
    ),
}
"""What is multiplied: a column that must differ, the others, and how it comes to differ."""


@dataclass
class Poster:
    """Hands in a post every few milliseconds until it is told to end."""

    port: int
    accepted: dict[str, float] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    unreachable: int = 0
    slowest: float = 0.0
    end: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Each post by a connection of its own, as MTAs do after a pause."""
        number = 0
        while not self.end.wait(0.05):
            number += 1
            self._post(f"{number}@bench.example.org")

    def _post(self, message_id: str) -> None:
        text = f"From: ann@bench.example.org\r\nTo: {LIST}\r\nSubject: p\r\nMessage-ID: <{message_id}>\r\n\r\nHi\r\n"
        began = time.time()
        try:
            with smtplib.LMTP("127.0.0.1", self.port, timeout=120) as client:
                client.sendmail("ann@bench.example.org", [LIST], text)
        except (ConnectionError, smtplib.SMTPServerDisconnected):
            self.unreachable += 1
            return
        except smtplib.SMTPException as error:
            self.refused.append(str(error))
            return
        self.accepted[message_id] = time.time()
        self.slowest = max(self.slowest, time.time() - began)


class Site:
    """A home, and the code that serves it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.home, self.code, self.url = folder / "home", folder / "code", url
        self.home.mkdir()
        self.port = free_port()
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("POSTROAD_", "DJANGO_"))},
            "PYTHONPATH": f"{self.code}/src", "POSTROAD_HOME": str(self.home),
            "POSTROAD_DATABASE_URL": url or "sqlite:///postroad.db", "POSTROAD_LMTP_LISTEN": f"127.0.0.1:{self.port}",
            "POSTROAD_WEB_LISTEN": f"127.0.0.1:{free_port()}", "POSTROAD_REST_LISTEN": f"127.0.0.1:{free_port()}",
        }  # fmt: skip
        (self.home / "postroad.toml").write_text('[smtp]\nhost = ""\n[rest]\npassword = "x"\n')

    def use(self, code: Path) -> None:
        """Install a release: its code takes the former's place, under the same path."""
        self.code.unlink(missing_ok=True)
        self.code.symlink_to(code)

    def run(self, *words: str) -> str:
        """Call our program; what it says."""
        done = subprocess.run(self._command(*words), env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0 and (words[0], done.returncode) not in (("import", 1), ("upgrade", 1)):
            sys.exit(f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def keep(self, folder: Path) -> None:
        """Copy the site as it is, for later runs."""
        shutil.copytree(self.home, folder, ignore=shutil.ignore_patterns("run"))  # Nothing runs there.
        self._copy_database(self.url, f"{self.url}_kept")

    def take(self, folder: Path) -> None:
        """Be a copy of what was kept."""
        shutil.copytree(folder, self.home, dirs_exist_ok=True)
        self._copy_database(f"{self.url}_kept", self.url)

    @staticmethod
    def _copy_database(source: str, target: str) -> None:
        if not source.startswith("postgresql:"):
            return
        import psycopg

        server, _, name = target.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {source.rpartition('/')[2]}")

    def serve(self) -> "subprocess.Popen[str]":
        """Start the service and wait until it listens."""
        log = (self.home / "serve.log").open("w")
        process = subprocess.Popen(
            self._command("serve"), env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert process.stdout is not None
        while (line := process.stdout.readline()) and line.strip() != "ready":
            pass
        return process

    def python(self, program: str) -> str:
        """Run a program in this site's Django."""
        settings = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'postroad.project.settings'"
        whole = f"{settings}\nimport django; django.setup()\n{program}"
        done = subprocess.run(
            [sys.executable, "-c", whole], env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(done.stderr)
        return done.stdout

    @staticmethod
    def _command(*words: str) -> list[str]:
        return [str(Path(sys.executable).with_name("postroad")), *words]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fill(site: Site, mails: int) -> None:
    """A list with one member and so many mails; `FEW` of them are imported, their rows multiplied."""
    site.run("list", "add", LIST)
    site.run("member", "add", LIST, "ann@bench.example.org")
    few = min(FEW, mails)
    box = write_mbox(site.home / "bench.mbox", made(few))
    site.run("import", "mbox", LIST, str(box))
    statements = [
        f"INSERT INTO {table} ({unlike}, {others}) SELECT {made.format(n=n)}, {others} FROM {table} WHERE {where}"
        for n in range(1, mails // few)
        for table, (unlike, others, made) in _COPIED.items()
        for where in (
            f"{'key' if table == 'storage_blob' else 'id'} IN (SELECT pk FROM bench_first WHERE what = '{table}')",
        )
    ]
    keys = [
        f"INSERT INTO bench_first SELECT '{table}', {'key' if table == 'storage_blob' else 'id'} FROM {table}"
        for table in _COPIED
    ]
    create = "CREATE TABLE bench_first (what TEXT, pk TEXT)"
    site.python(f"""
import hashlib
from django.db import connection, transaction
connection.ensure_connection()
if connection.vendor == 'sqlite':
    connection.connection.create_function('md5', 1, lambda text: hashlib.md5(text.encode()).hexdigest())
as_text = '' if connection.vendor == 'sqlite' else '::text'
with transaction.atomic(), connection.cursor() as cursor:
    for sql in {[create, *keys, *statements]!r}:
        cursor.execute(sql.replace(' IN (SELECT pk', as_text + ' IN (SELECT pk'))
    cursor.execute('DROP TABLE bench_first')
""")


def delivered(site: Site) -> dict[str, float]:
    """When each post was last worked on, by Message-ID, in seconds since 1970."""
    told = site.python("""
import json
from postroad.foundation.queue.models import Step
print(json.dumps(dict(Step.objects.filter(stage='delivery').order_by('at').values_list('message_id', 'at'))))
""")
    return dict(json.loads(told))


MIGRATION = """from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("archive", {last!r})]
    operations = [
        migrations.AddField("mail", "bench", models.CharField(max_length=20, null=True)),
        migrations.AddIndex("mail", models.Index(fields=["bench", "date"], name="archive_mail_bench")),
    ]
"""


def releases(folder: Path, commit: str) -> tuple[Path, Path]:
    """The code of the former release and that of the newer."""
    former, newer = folder / "former", folder / "newer"
    if commit:
        former.mkdir()
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", str(former)], input=archive.stdout, check=True)
        return former, ROOT
    for code in (former, newer):
        shutil.copytree(ROOT / "src", code / "src")
    migrations = newer / "src/postroad/mailflow/archive/migrations"
    last = max(file.stem for file in migrations.glob("0*.py"))
    (migrations / "9999_bench.py").write_text(MIGRATION.format(last=last))
    return former, newer


def main(mails: int, url: str, commit: str, keep: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix="postroad-bench-") as name:
        former, newer = releases(Path(name), commit)
        site = Site(Path(name), url)
        site.use(former)
        if keep and keep.exists():
            site.take(keep)
        else:
            end(site.serve())  # It makes the tables.
            fill(site, mails)
            if keep:
                site.keep(keep)
        serving = site.serve()
        poster = Poster(site.port)
        posting = threading.Thread(target=poster.run)
        posting.start()
        try:
            time.sleep(2)
            site.use(newer)
            report = json.loads(site.run("upgrade", "--json"))
            time.sleep(3)
        finally:
            poster.end.set()
            posting.join()
            sent = wait_for(site, poster)
            end(serving)
    tell(mails, report, poster, sent)


def end(serving: "subprocess.Popen[str]") -> None:
    """Stop the service as a service manager does."""
    serving.terminate()
    serving.wait(60)


def wait_for(site: Site, poster: Poster) -> dict[str, float]:
    """Until everything accepted is delivered, two minutes at most."""
    for _ in range(24):
        sent = delivered(site)
        if poster.accepted.keys() <= sent.keys():
            break
        time.sleep(5)
    return sent


def tell(mails: int, report: dict, poster: Poster, sent: dict[str, float]) -> None:
    """One line for each fact."""
    for step in report["steps"]:
        print(f"{step['name']:28}{step['seconds']:8.2f} s  {step['detail']}")
    late = max((sent[name] - at for name, at in poster.accepted.items() if name in sent), default=0.0)
    print(f"outcome {report['outcome']}; {mails:,} mails; pause {report['paused_seconds']:.2f} s")
    print(f"accepted {len(poster.accepted)}, refused {len(poster.refused)}, nobody listening {poster.unreachable}")
    print(f"not delivered {len(poster.accepted.keys() - sent.keys())}; slowest reply {poster.slowest:.2f} s;"
          f" longest from reply to delivery {late:.2f} s")  # fmt: skip
    for text in poster.refused[:3]:
        print(f"  {text}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=300_000)
    parser.add_argument("--database", default="")
    parser.add_argument("--former", default="")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    main(options.mails, options.database, options.former, options.keep)
