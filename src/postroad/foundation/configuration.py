"""The site's one configuration file, `postroad.toml`: its keys, their defaults, and what is allowed.

`load()` is called by `project/settings.py`; everybody else reads `current()`. Each key can also be given as
`POSTROAD_SECTION_KEY` in the environment.
"""

import dataclasses
import os
import re
import secrets
import tempfile
import tomllib
import types
import typing
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from postroad.foundation import mailman_cfg
from postroad.foundation.errors import ConfigurationError
from postroad.foundation.sections import (
    Archive,
    Archivers,
    Backup,
    Database,
    Dkim,
    Dns,
    Listen,
    Lmtp,
    Log,
    Mail,
    Maps,
    Nntp,
    Rest,
    Site,
    Smtp,
    Storage,
    Templates,
    Web,
    Webhooks,
)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything `postroad.toml` says, checked."""

    home: Path
    site: Site = field(default_factory=Site)
    database: Database = field(default_factory=Database)
    web: Web = field(default_factory=Web)
    rest: Rest = field(default_factory=Rest)
    lmtp: Lmtp = field(default_factory=Lmtp)
    maps: Maps = field(default_factory=Maps)
    smtp: Smtp = field(default_factory=Smtp)
    templates: Templates = field(default_factory=Templates)
    webhooks: Webhooks = field(default_factory=Webhooks)
    mail: Mail = field(default_factory=Mail)
    dkim: Dkim = field(default_factory=Dkim)
    nntp: Nntp = field(default_factory=Nntp)
    dns: Dns = field(default_factory=Dns)
    storage: Storage = field(default_factory=Storage)
    archive: Archive = field(default_factory=Archive)
    archivers: Archivers = field(default_factory=Archivers)
    backup: Backup = field(default_factory=Backup)
    log: Log = field(default_factory=Log)

    @property
    def file(self) -> Path:
        """The configuration file itself."""
        return self.home / "postroad.toml"

    @property
    def mail_hostname(self) -> str:
        """How this site calls itself to mail servers (RFC 5321 §4.1.1.1): the domain of its owner."""
        return self.site.owner.partition("@")[2] or "localhost"

    def secret(self, purpose: str) -> bytes:
        """A key for one purpose, derived from the site's secret, which is made once and kept at 0600."""
        import hashlib

        return hashlib.blake2b(_site_secret(self.home), person=purpose.encode()[:16], digest_size=32).digest()


def _site_secret(home: Path) -> bytes:
    path = home / "secret.key"
    if not path.exists():
        write_private(path, secrets.token_hex(32) + "\n")
    return bytes.fromhex(path.read_text().strip())


def write_private(path: Path, text: str, *, anew: bool = False) -> None:
    """Write a file that only its owner can read, whole or not at all.

    One that is there stays, since another process may have been first; unless it is to be written `anew`.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if anew:
            temporary.replace(path)
        else:
            with suppress(FileExistsError):
                os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


_GENERATED = re.compile(r'password = "[\w-]{32}"')


def create(home: Path) -> None:
    """Make a home with a working `postroad.toml` and secrets; what is there already stays untouched."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "postroad.toml").exists():
        write_private(home / "postroad.toml", _first_file())
    _site_secret(home)
    (home / "run").mkdir(exist_ok=True)


def _first_file() -> str:
    site = Site()
    return f"""# Postroad's only configuration file. `postroad config` explains every key and shows what is in force.
[site]
base_url = "{site.base_url}"
name = "{site.name}"
owner = "{site.owner}"
language = "{site.language}"

[database]
url = "{Database().url}"

[web]
listen = "{Web().listen}"

[rest]
listen = "{Rest().listen}"
user = "restadmin"
password = "{secrets.token_urlsafe(24)}"

[lmtp]
listen = "{Lmtp().listen}"

[smtp]
host = "127.0.0.1"
port = 25
security = "none"
"""


def without_first_values(text: str, said: Mapping[str, Collection[str]]) -> str:
    """A `postroad.toml` without those of some keys (by section) that `create` wrote and nobody changed."""
    section, first, kept = "", _first_file().splitlines(), []
    for line in text.splitlines(keepends=True):
        section = line.strip()[1:-1] if line.startswith("[") else section
        key = line.partition("=")[0].strip()
        is_first = line.rstrip() in first or (section == "rest" and _GENERATED.fullmatch(line.rstrip()))
        if not (key in said.get(section, ()) and is_first):
            kept.append(line)
    return "".join(kept)


def load(home: Path) -> Configuration:
    """Read and check the configuration of this home.

    Raises:
        ConfigurationError: one line with file, key and what is allowed.
    """
    file = home / "postroad.toml"
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: not valid TOML: {error}") from None
    sections = {f.name: f for f in dataclasses.fields(Configuration) if f.name != "home"}
    for name, value in document.items():
        if name not in sections:
            raise ConfigurationError(f"{file}: unknown section [{name}]; allowed: {', '.join(sections)}")
        if not isinstance(value, dict):
            raise ConfigurationError(f"{file}: {name} stands outside a section; allowed: {', '.join(sections)}")
    old = _from_mailman(document)
    made = {
        name: _section(file, name, f.default_factory, {**old.get(name, {}), **document.get(name, {})})
        for name, f in sections.items()
    }
    return Configuration(home=home, **made)


def _from_mailman(document: dict[str, typing.Any]) -> dict[str, dict[str, object]]:
    """What an old mailman.cfg says, if one is named, and where the environment of Mailman's images has its texts."""
    named = os.environ.get("POSTROAD_SITE_MAILMAN_CFG") or document.get("site", {}).get("mailman_cfg", "")
    found = mailman_cfg.mapped(mailman_cfg.read(Path(named))) if isinstance(named, str) and named else {}
    texts = os.environ.get("POSTORIUS_TEMPLATE_BASE_URL")
    return {**found, "templates": {"fetch_from": [texts]}} if texts else found


def _section(file: Path, section: str, kind: typing.Any, given: dict[str, object]) -> typing.Any:
    """One section as its dataclass, the environment taking precedence over the file."""
    hints = typing.get_type_hints(kind)
    values = dict(given)
    for key in hints:
        variable = f"POSTROAD_{section}_{key}".upper()
        if variable in os.environ:
            values[key] = from_text(os.environ[variable], hints[key])
    for key in values:
        if key not in hints:
            raise ConfigurationError(f"{file}: [{section}] has no key {key}; allowed: {', '.join(hints)}")
    return kind(**{key: _checked(file, section, key, value, hints[key]) for key, value in values.items()})


def from_text(text: str, hint: object) -> object:
    """An environment variable's text as TOML would have given it; text that does not parse is judged by the check."""
    if hint in (str, Listen, Listen | None) or typing.get_origin(hint) is typing.Literal:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return [part.strip() for part in text.split(",")] if typing.get_origin(hint) is tuple else text


def _checked(file: Path, section: str, key: str, value: object, hint: typing.Any) -> object:
    where = f"{file}: [{section}] {key} = {value!r}"
    if key in ("password", "user"):
        where = f"{file}: [{section}] {key}"
    match hint:
        case _ if hint is Listen:
            return _listen(where, value)
        case _ if hint == Listen | None:
            return _listen(where, value) if value != "" else None
        case types.GenericAlias() if typing.get_origin(hint) is tuple:
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                return tuple(value)
            raise ConfigurationError(f'{where}: allowed is a list of strings, such as ["a", "b"]')
        case _ if typing.get_origin(hint) is typing.Literal:
            if value in typing.get_args(hint):
                return value
            allowed = ", ".join(f'"{choice}"' for choice in typing.get_args(hint))
            raise ConfigurationError(f"{where}: allowed: {allowed}")
        case _ if hint is bool:
            if isinstance(value, bool):
                return value
            raise ConfigurationError(f"{where}: allowed: true, false")
        case _ if hint in (int, float):
            allowed_types = (int, float) if hint is float else (int,)
            if isinstance(value, allowed_types) and not isinstance(value, bool) and value >= 0:
                return value
            raise ConfigurationError(f"{where}: allowed is a number, 0 or more")
    if not isinstance(value, str):
        raise ConfigurationError(f"{where}: allowed is text in quotes")
    return _text(where, section, key, value)


def _listen(where: str, value: object) -> Listen:
    match = (
        re.fullmatch(r"(?P<host>[^:]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})", value) if isinstance(value, str) else None
    )
    if match is None or int(match["port"]) > 65_535:
        raise ConfigurationError(f'{where}: allowed is "host:port", such as "127.0.0.1:8024"')
    return Listen(match["host"].strip("[]"), int(match["port"]))


def _text(where: str, section: str, key: str, value: str) -> str:
    if (section, key) == ("database", "url") and not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise ConfigurationError(f"{where}: allowed: sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME")
    if (section, key) == ("site", "base_url") and not re.fullmatch(r"https?://[^/\s]+(/[^\s?#]*)?", value):
        raise ConfigurationError(f"{where}: allowed is an http:// or https:// address without query")
    if (section, key) == ("site", "owner") and not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise ConfigurationError(f"{where}: allowed is one mail address, such as postmaster@example.org")
    return value.rstrip("/") if (section, key) == ("site", "base_url") else value


def current() -> Configuration:
    """The configuration in force in this process."""
    from django.conf import settings

    return settings.POSTROAD
