"""A Mailman 3 installation as it lies on disk: its configuration files, its two databases, its folders.

Every variant of the field is found by itself (virtualenv, Debian, Docker, Arch; facts: mailman-web §10); each part can
also be named, and a copy of an installation is read by saying where its paths lie now (`moved`).
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from postroad.foundation import mailman_cfg
from postroad.foundation.errors import BadInput, ConfigurationError
from postroad.foundation.mailman_cfg import MailmanCfg
from postroad.upgrade.mailman3.databases import OldDatabase, Place, place_of
from postroad.upgrade.mailman3.django_settings import SettingsFile, read_settings

SETTINGS_FILES = (
    "/etc/mailman3/settings.py", "/etc/mailman3/mailman-web.py", "/opt/mailman-web/settings.py",
    "/opt/mailman-web-data/settings_local.py", "/etc/webapps/mailman-web/settings.py",
    "/usr/share/mailman3-web/settings.py",
)  # fmt: skip
"""Where the web half's settings lie: upstream, Debian, Docker (all, and a site's own alone), Arch, old Debian."""

_ENGINES = {"sqlite3": "sqlite", "postgresql": "postgresql", "postgresql_psycopg2": "postgresql", "mysql": "mysql"}


@dataclass(frozen=True, slots=True)
class Named:
    """What somebody said about an installation; whatever is empty is looked for."""

    cfg: str = ""
    settings: str = ""
    core: str = ""
    web: str = ""
    attachments: str = ""
    mailboxes: tuple[str, ...] = ()
    """Folders with old mbox files, named for their lists."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """Paths of the old machine → where they are here."""


@dataclass(slots=True)
class Installation:
    """Everything that is read."""

    core: OldDatabase
    web: OldDatabase | None
    cfg: MailmanCfg | None
    settings: SettingsFile | None
    paths: dict[str, Path]
    """Mailman's folders by their names: `queue_dir`, `messages_dir` …"""
    attachments: Path | None
    mailboxes: tuple[Path, ...]
    moved: Mapping[str, str] = field(default_factory=dict)

    def here(self, path: str) -> Path:
        """Where a path of the old machine is here; the longest that fits counts."""
        return _moved(path, self.moved)

    @property
    def name(self) -> str:
        """What the installation is called in the record of imports: where its core's database is."""
        return f"Mailman 3 at {self.core.place}"

    def setting(self, name: str, default: str = "") -> str:
        """A text of the web half's settings."""
        found = self.settings.get(name, default) if self.settings else default
        return found if isinstance(found, str) else default


def open_installation(named: Named) -> Installation:
    """Find and open everything.

    Raises:
        BadInput, ConfigurationError: something is not there, or cannot be read; nothing was changed.
    """
    cfg_file = mailman_cfg.find(named.cfg or None)
    cfg = mailman_cfg.read(cfg_file) if cfg_file else None
    settings_file = _settings_file(named, cfg)
    settings = read_settings(settings_file) if settings_file else None
    core = OldDatabase(_core_place(named, cfg))
    web_place = _web_place(named, settings)
    attachments = named.attachments or (settings.get("HYPERKITTY_ATTACHMENT_FOLDER") if settings else "") or ""
    installation = Installation(
        core=core, web=OldDatabase(web_place) if web_place else None, cfg=cfg, settings=settings,
        paths=_paths(named, cfg), attachments=_moved(attachments, named.moved) if attachments else None,
        mailboxes=tuple(Path(folder) for folder in named.mailboxes), moved=named.moved,
    )  # fmt: skip
    _check(installation)
    return installation


def _check(installation: Installation) -> None:
    """See that the databases are what they should be, and the folders where they should be.

    Raises:
        BadInput: another database, or one too old to be read; a folder that is not there.
    """
    core, web = installation.core, installation.web
    for table in ("mailinglist", "address", "member", "user"):
        if not core.has(table):
            raise BadInput(f"{core.place}: this is not Mailman's core database: it has no table {table}")
    if web is not None and not web.has("auth_user"):
        raise BadInput(f"{web.place}: this is not the web database: it has no table auth_user")
    if web is not None and _is_between_keys(web):
        raise BadInput(
            f"{web.place}: an upgrade of HyperKitty ended half-way and its lists have two kinds of keys; finish it"
            " there first, by `mailman-web migrate hyperkitty`"
        )
    for folder in installation.mailboxes:
        if not folder.is_dir():
            raise BadInput(f"{folder}: no such folder of mailboxes")
    queues = installation.paths["queue_dir"]
    if installation.cfg and not queues.is_dir():  # Mailman makes it when it starts.
        raise BadInput(
            f"{queues}: Mailman's folder of queues is not here, and mail may wait in it; say where the folders are with"
            " --moved /old/path=/path/here"
        )


def _is_between_keys(web: OldDatabase) -> bool:
    """Whether of the three migrations that number the lists some are done and some not (facts: web schema §10)."""
    done = {
        str(row["name"])[:4]
        for row in web.rows("django_migrations", ("id", "app", "name"))
        if row["app"] == "hyperkitty"
    }
    return len(done & {"0013", "0014", "0015"}) in (1, 2)


def _settings_file(named: Named, cfg: MailmanCfg | None) -> Path | None:
    if named.settings and not Path(named.settings).is_file():
        raise BadInput(f"{named.settings}: no such settings file")
    beside = [cfg.file.with_name(Path(name).name) for name in SETTINGS_FILES[:2]] if cfg else []
    usual = [*beside, *(_moved(name, named.moved) for name in SETTINGS_FILES)]
    candidates = [*(Path(name) for name in (named.settings, os.environ.get("MAILMAN_WEB_CONFIG", "")) if name), *usual]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None and not named.web:
        raise BadInput(
            "there are no settings of the web half, in which its archives and accounts are named: name the file with"
            f" --settings, or the database with --web URL; if there is none, say --web none. Looked for: {_list(usual)}"
        )
    return found


def _list(paths: Iterable[Path]) -> str:
    return ", ".join(dict.fromkeys(map(str, paths)))


def _core_place(named: Named, cfg: MailmanCfg | None) -> Place:
    if named.core:
        return place_of(named.core)
    if cfg is None:
        raise BadInput("there is no mailman.cfg; name it with --cfg, or the core's database with --core sqlite:///FILE")
    # SQLAlchemy takes what stands behind the third slash, so an absolute path has four.
    url = cfg.filled(cfg.get("database", "url", "sqlite:///$data_dir/mailman.db"))
    return _placed(place_of(url), named)


def _web_place(named: Named, settings: SettingsFile | None) -> Place | None:
    if named.web:
        return None if named.web == "none" else place_of(named.web)
    if settings is None:
        return None
    databases = settings.get("DATABASES")
    described = databases.get("default") if isinstance(databases, dict) else None
    if not isinstance(described, dict):
        raise BadInput(f"{settings.file}: DATABASES has no 'default'; name the web database with --web URL")
    if "URL" in described:
        return _placed(place_of(described["URL"]), named)
    engine = str(described.get("ENGINE", "")).rpartition(".")[2]
    if engine not in _ENGINES:
        raise BadInput(f"{settings.file}: the engine {described.get('ENGINE')} is not read; name --web URL")
    place = Place(
        _ENGINES[engine], str(described.get("NAME", "")), str(described.get("USER", "")),
        str(described.get("PASSWORD", "")), str(described.get("HOST", "")), int(described.get("PORT") or 0),
    )  # fmt: skip
    return _placed(place, named)


def _placed(place: Place, named: Named) -> Place:
    if place.kind != "sqlite":
        return place
    return Place("sqlite", str(_moved(place.name, named.moved)))


def _paths(named: Named, cfg: MailmanCfg | None) -> dict[str, Path]:
    texts = cfg.paths() if cfg else mailman_cfg.MailmanCfg(Path("mailman.cfg"), {}).paths()
    return {name: _moved(text, named.moved) for name, text in texts.items()}


def _moved(path: str, moved: Mapping[str, str]) -> Path:
    for old, new in sorted(moved.items(), key=lambda pair: -len(pair[0])):
        if path == old.rstrip("/") or path.startswith(old.rstrip("/") + "/"):
            return Path(new + path[len(old.rstrip("/")) :])
    return Path(path)


def moved_from(texts: Iterable[str]) -> dict[str, str]:
    """`OLD=NEW` as people write it.

    Raises:
        ConfigurationError: there is no `=`.
    """
    found = {}
    for text in texts:
        old, equals, new = text.partition("=")
        if not equals or not old:
            raise ConfigurationError(f"--moved {text}: write it as /old/path=/path/here")
        found[old] = new
    return found
