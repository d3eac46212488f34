"""A list as Mailman 2.1 kept it: one pickled dictionary, whose texts are bytes in one of three encodings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from postroad.foundation.errors import BadInput
from postroad.foundation.message.charsets import decode_bytes
from postroad.foundation.rows import NOT_KEPT
from postroad.upgrade.importing.pickles import load_each
from postroad.upgrade.importing.plan import fingerprint_of
from postroad.upgrade.mailman2.messages import NAMES

_CHARSETS: Mapping[str, str] = MappingProxyType({
    "cs": "iso-8859-2", "hr": "iso-8859-2", "hu": "iso-8859-2", "pl": "iso-8859-2", "ro": "iso-8859-2",
    "sl": "iso-8859-2", "el": "iso-8859-7", "et": "iso-8859-15", "eu": "iso-8859-15", "ia": "iso-8859-15",
    "lt": "iso-8859-13", "ja": "euc-jp", "ko": "euc-kr", "ru": "koi8-r",
})  # fmt: skip
"""What Mailman 2.1 wrote a language in, where that was neither Latin-1 nor UTF-8."""

_OF_PEOPLE = frozenset({
    "bounce_info", "delivery_status", "digest_members", "language", "members", "one_last_digest", "passwords",
    "topics_userinterest", "user_options", "usernames", "postings_responses", "request_responses", "admin_responses",
    "hold_and_cmd_autoresponses",
})  # fmt: skip
"""Attributes with an entry for each person."""
OF_WORK = (
    "post_id", "volume", "next_digest_number", "usenet_watermark", "last_post_time", "digest_last_sent_at",
    "next_request_id",
)  # fmt: skip
"""What a list counts with every post."""

_BEFORE_MAILMAN = 631_152_000
"""1990, in seconds since 1970: an earlier moment was never noted."""


@dataclass(frozen=True, slots=True)
class OldList:
    """One list of an old site."""

    name: str
    """Its folder, which is the local part of its address."""
    folder: Path
    data: Mapping[str, Any]
    is_from_backup: bool = False
    """`config.pck` was damaged; this is what `config.pck.last` says."""

    @property
    def mail_host(self) -> str:
        """The host of its address."""
        return self.text("host_name").strip().lower()

    @property
    def list_id(self) -> str:
        """What it is called here."""
        return f"{self.name}.{self.mail_host}"

    @property
    def language(self) -> str:
        """The code of its language."""
        return self.text("preferred_language") or "en"

    @property
    def created_at(self) -> datetime:
        """When it was made, if it says so."""
        return self.moment("created_at") or datetime.fromtimestamp(_BEFORE_MAILMAN, UTC)

    @property
    def fingerprint(self) -> int:
        """Another one means that somebody changed a setting."""
        moving = {*_OF_PEOPLE, *OF_WORK}
        return fingerprint_of([(key, value) for key, value in sorted(self.data.items()) if key not in moving])

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute as it is; what older releases lack is what newer ones take it for."""
        return self.data.get(name, default)

    def decode(self, value: Any, language: str = "") -> str:
        """A text: UTF-8 if it can be, else in the language's own encoding."""
        if isinstance(value, str):
            return NOT_KEPT.sub("\ufffd", value.replace("\0", ""))
        if isinstance(value, bytes):
            return decode_bytes(value, _CHARSETS.get(language or _language_in(self.data), "latin-1"))
        return "" if value is None else str(value)

    def text(self, name: str) -> str:
        """An attribute that is a text."""
        return self.decode(self.data.get(name)) if name != "preferred_language" else _language_in(self.data)

    def texts(self, name: str) -> list[str]:
        """An attribute that is a list of texts, or a text with one on each line."""
        value = self.data.get(name)
        if isinstance(value, list | tuple):
            return [self.decode(entry).strip() for entry in value]
        return [line.strip() for line in self.decode(value).splitlines() if line.strip()]

    def number(self, name: str, default: float = 0) -> float:
        """An attribute that is a number, or a switch kept as one."""
        value = self.data.get(name, default)
        try:
            return float(value) if value is not None else default
        except (TypeError, ValueError):
            return default

    def moment(self, name: str) -> datetime | None:
        """An attribute that is seconds since 1970; None if it was never set."""
        return moment_of(self.data.get(name))

    def table(self, name: str) -> dict[str, Any]:
        """An attribute that is a dictionary by address."""
        value = self.data.get(name)
        return {self.decode(key): entry for key, entry in value.items()} if isinstance(value, dict) else {}


def moment_of(value: Any) -> datetime | None:
    """Seconds since 1970 as a moment; None for what is none."""
    try:
        seconds = float(value)
        return datetime.fromtimestamp(seconds, UTC) if seconds >= _BEFORE_MAILMAN else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _language_in(data: Mapping[str, Any]) -> str:
    value = data.get("preferred_language")
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value if isinstance(value, str) else ""


def read_list(folder: Path, *, name: str = "", host: str = "") -> OldList:
    """The list of a folder of `lists/`; from `config.pck.last` if `config.pck` is damaged, as Mailman does.

    `host` counts where the file does not say one.

    Raises:
        BadInput: neither can be read.
    """
    why = "it has no config.pck"
    for file in (folder / "config.pck", folder / "config.pck.last"):
        if not file.is_file():
            continue
        try:
            data = read_config(file)
        except BadInput as error:
            why = f"{file.name}: {error}"
            continue
        data.setdefault("host_name", host)
        return OldList((name or folder.name).lower(), folder, MappingProxyType(data), file.suffix == ".last")
    raise BadInput(why)


def read_config(file: Path) -> dict[str, Any]:
    """The attributes in a `config.pck`; several pickles behind each other count together.

    Raises:
        BadInput: it is damaged, wants to run something, or holds no dictionary.
    """
    data: dict[str, Any] = {}
    for value in load_each(file.read_bytes(), NAMES):
        if isinstance(value, dict):
            data |= {key.decode("latin-1") if isinstance(key, bytes) else str(key): v for key, v in value.items()}
    if not data:
        raise BadInput("there is no list in it")
    return data
