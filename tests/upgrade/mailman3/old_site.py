"""Old installations of `sites/`, laid out on disk as they were, and imported by the command people use."""

import json
import lzma
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SITES = Path(__file__).parent / "sites"
SERVER = os.environ.get("POSTROAD_TEST_DATABASE", "")
"""A PostgreSQL on which the databases of an old site can be laid too."""


@dataclass
class OldSite:
    """One installation below `root`; `truth` is what its own release said of it."""

    name: str
    root: Path
    truth: dict[str, Any]
    core: str
    web: str

    def named(self, **more: Any):
        """What tells the importer where everything lies."""
        from postroad.upgrade.mailman3.installation import Named

        given = {
            "cfg": str(self.root / "core/etc/mailman.cfg"), "settings": str(self.root / "web/settings.py"),
            "core": self.core, "web": self.web,
            "moved": {"/opt/mailman/mm/var": str(self.root), "/opt/mailman/web": str(self.root)},
        }  # fmt: skip
        return Named(**{**given, **more})

    def options(self) -> list[str]:
        """The same for the command line."""
        return [
            "--cfg", str(self.root / "core/etc/mailman.cfg"), "--settings", str(self.root / "web/settings.py"),
            "--core", self.core, "--web", self.web, "--moved", f"/opt/mailman/mm/var={self.root}",
            "--moved", f"/opt/mailman/web={self.root}",
        ]  # fmt: skip

    def bring_in(self, *, cut_over: bool = True, dry_run: bool = False, **more: Any):
        """Import it; the report."""
        from postroad.upgrade.importing.engine import run
        from postroad.upgrade.importing.progress import Silent
        from postroad.upgrade.mailman3.installation import open_installation
        from postroad.upgrade.mailman3.moving import Moving
        from postroad.upgrade.mailman3.steps import steps

        installation = open_installation(self.named(**more))
        try:
            moving = Moving(installation, is_cut_over=cut_over)
            return run(installation.name, steps(moving), Silent(), dry_run=dry_run)
        finally:
            installation.core.close()
            if installation.web is not None:
                installation.web.close()

    def connect(self, half: str = "core") -> sqlite3.Connection:
        """Its database, to change something in it as the old system would."""
        return sqlite3.connect(getattr(self, half).removeprefix("sqlite:///"))

    def copy(self, root: Path) -> "OldSite":
        """The same installation below another root; its databases are SQLite's."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        core, web = (url.replace(str(self.root), str(root)) for url in (self.core, self.web))
        return OldSite(self.name, root, self.truth, core, web)

    def keep_few_mails(self) -> None:
        """Let HyperKitty have forgotten all lists' mails but one list's, for a test of something else."""
        with self.connect("web") as web:
            gone = "SELECT id FROM hyperkitty_email WHERE mailinglist_id NOT IN (SELECT id FROM hyperkitty_mailinglist WHERE name LIKE 'board@%')"
            for table in ("attachment", "vote"):
                web.execute(f"DELETE FROM hyperkitty_{table} WHERE email_id IN ({gone})")
            web.execute(f"DELETE FROM hyperkitty_email WHERE id IN ({gone})")
            for table in ("tagging", "favorite", "lastview", "thread"):
                column = "id" if table == "thread" else "thread_id"
                web.execute(
                    f"DELETE FROM hyperkitty_{table} WHERE {column} NOT IN (SELECT thread_id FROM hyperkitty_email)"
                )


def lay_out(name: str, root: Path) -> OldSite:
    """Unpack an installation."""
    source = SITES / name
    for archive in source.glob("*.tar.xz"):
        with tarfile.open(archive) as packed:
            packed.extractall(root, filter="fully_trusted")  # Made by us; to look at each path takes half the time.
    for file in (*source.glob("core/etc/*"), *source.glob("web/*")):
        target = root / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    truth = json.loads(lzma.decompress((source / "TRUTH.json.xz").read_bytes()))
    urls = {}
    for half, stem in (("core", "mailman"), ("web", "mailman*web")):
        packed = next(source.glob(f"db/{stem}.*"))
        data = lzma.decompress(packed.read_bytes())
        if packed.name.endswith(".db.xz"):
            file = root / packed.name.removesuffix(".xz")
            file.write_bytes(data)
            urls[half] = f"sqlite:///{file}"
        else:
            urls[half] = _load_into_postgresql(f"postroad_old_{half}_{os.getpid()}", data)
    return OldSite(name, root, truth, urls["core"], urls["web"])


def _load_into_postgresql(name: str, dump: bytes) -> str:
    parts = urlsplit(SERVER)
    target = parts._replace(path=f"/{name}").geturl()
    for sql in (f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"):
        _psql(parts._replace(path="/postgres").geturl(), sql.encode())
    _psql(target, dump)
    return target


def _psql(url: str, sql: bytes) -> None:
    command = ["psql", "-q", "-X", "-d", url]
    done = subprocess.run(command, input=sql, capture_output=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr.decode())
        done.check_returncode()


def drop(site: OldSite) -> None:
    """Take its databases off the server again."""
    for url in (site.core, site.web):
        if not url.startswith("sqlite"):
            parts = urlsplit(url)
            sql = f"DROP DATABASE IF EXISTS {parts.path.lstrip('/')} WITH (FORCE)"
            _psql(parts._replace(path="/postgres").geturl(), sql.encode())
