"""An existing `mailman.cfg`: where it lies, what it says, and what of it is a setting of ours.

`postroad.toml` may name one (`[site] mailman_cfg`); its values then count wherever the file itself and the
environment say nothing. The importer reads paths and databases with it too.
"""

import configparser
import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from postroad.foundation.durations import DAY, seconds_of
from postroad.foundation.errors import BadInput, ConfigurationError

LAYOUTS: Mapping[str, Mapping[str, str]] = {
    "local": {},
    "dev": {"var_dir": "$cfg_file/../.."},
    "here": {"var_dir": "$cwd/var"},
    "fhs": {
        "var_dir": "/var/lib/mailman", "queue_dir": "/var/spool/mailman", "log_dir": "/var/log/mailman",
        "lock_dir": "/var/lock/mailman", "etc_dir": "/etc", "pid_file": "/var/run/mailman/master.pid",
    },
}  # fmt: skip
PATHS: Mapping[str, str] = {
    "var_dir": "/var/tmp/mailman",  # noqa: S108 — Mailman's own default
    "queue_dir": "$var_dir/queue", "list_data_dir": "$var_dir/lists", "log_dir": "$var_dir/logs",
    "lock_dir": "$var_dir/locks", "data_dir": "$var_dir/data", "cache_dir": "$var_dir/cache",
    "etc_dir": "$var_dir/etc", "messages_dir": "$var_dir/messages", "archive_dir": "$var_dir/archives",
    "template_dir": "$var_dir/templates", "pid_file": "$var_dir/master.pid", "lock_file": "$lock_dir/master.lck",
}  # fmt: skip
_VARIABLE = re.compile(r"\$\{?([A-Za-z_]+)\}?")


@dataclass(frozen=True, slots=True)
class MailmanCfg:
    """The file and its sections; keys are lower-case, section names as written."""

    file: Path
    sections: Mapping[str, Mapping[str, str]]

    def get(self, section: str, key: str, default: str = "") -> str:
        """The value as written, stripped; the default where the file says nothing."""
        return self.sections.get(section, {}).get(key, default).strip()

    def paths(self) -> dict[str, str]:
        """Every directory and file of the layout, with its variables filled."""
        layout = self.get("mailman", "layout", "here")
        own = self.sections.get(f"paths.{layout}", {})
        values = {**PATHS, **self.sections.get("paths.master", {}), **LAYOUTS.get(layout, {}), **own}
        fixed = {"cwd": str(Path.cwd()), "cfg_file": str(self.file)}
        if os.environ.get("MAILMAN_VAR_DIR"):
            values["var_dir"] = os.environ["MAILMAN_VAR_DIR"]
        return {name: _normal(_filled(text, {**values, **fixed})) for name, text in values.items()}

    def filled(self, text: str) -> str:
        """A text with `$data_dir`, `$DATA_DIR` and the like filled in."""
        return _filled(text, self.paths())


def _filled(text: str, values: Mapping[str, str]) -> str:
    for _ in range(10):  # Values may name each other; a ring ends here.
        text, before = _VARIABLE.sub(lambda m: values.get(m[1].lower(), m[0]), text), text
        if text == before:
            break
    return text


def _normal(path: str) -> str:
    return os.path.normpath(path) if "/" in path else path


def candidates(explicit: str | None = None) -> list[Path]:
    """Where Mailman looks for its file, in its order."""
    named = [explicit, os.environ.get("MAILMAN_CONFIG_FILE")]
    usual = ["mailman.cfg", "var/etc/mailman.cfg", "~/.mailman.cfg", "/etc/mailman.cfg", "/etc/mailman3/mailman.cfg"]
    beside = Path(sys.argv[0]).resolve().parent.parent / "etc" / "mailman.cfg"
    return [*(Path(text).expanduser() for text in (*named, *usual) if text), beside]


def find(explicit: str | None = None) -> Path | None:
    """The first file that exists.

    Raises:
        ConfigurationError: the one that was named does not.
    """
    if explicit and not Path(explicit).expanduser().is_file():
        raise ConfigurationError(f"{explicit}: no such file")
    return next((path.resolve() for path in candidates(explicit) if path.is_file()), None)


def read(file: Path) -> MailmanCfg:
    """Parse a mailman.cfg.

    Raises:
        ConfigurationError: it cannot be read.
    """
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True, comment_prefixes=("#", ";"))
    try:
        parser.read_string(file.read_text(encoding="utf-8", errors="replace"))
    except (OSError, configparser.Error) as error:
        raise ConfigurationError(f"{file}: not a readable mailman.cfg: {error}") from None
    sections = {name: {key: value or "" for key, value in parser.items(name)} for name in parser.sections()}
    return MailmanCfg(file, sections)


def _with_files_of_archivers(cfg: MailmanCfg) -> MailmanCfg:
    """The same, with what stands in the files that sections of archivers name (`configuration`)."""
    found = dict(cfg.sections)
    for name in ("archiver.mail_archive", "archiver.mhonarc"):
        named = Path(cfg.filled(cfg.get(name, "configuration")))
        if named.is_file():
            found[name] = {**read(named).sections.get("general", {}), **found[name]}
    return MailmanCfg(cfg.file, found)


# --- what is a setting of ours


def yes_or_no(text: str) -> bool:
    """A boolean as Mailman writes it.

    Raises:
        BadInput: it is none.
    """
    word = text.strip().lower()
    if word in ("yes", "true", "on", "1", "enable", "enabled"):
        return True
    if word in ("no", "false", "off", "0", "disable", "disabled", ""):
        return False
    raise BadInput(f"neither yes nor no: {text}")


def _days(text: str) -> float:
    return seconds_of(text) / DAY


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


def _command(text: str) -> list[str]:
    """A command as an argument list; Mailman gave it to a shell, which Postroad does not start."""
    words = list(shlex.shlex(text, posix=True, punctuation_chars=True))
    if any(set(word) <= set("();<>|&") for word in words) or "`" in text or "$(" in text:
        raise BadInput("only a shell understands this; put it into a script and name that")
    return shlex.split(text)


def _security(text: str) -> str:
    return {"smtp": "none", "smtps": "tls", "starttls": "starttls"}.get(text.lower(), "none")


MAPPED: Mapping[tuple[str, str], tuple[str, str, Callable[[str], object]]] = {
    ("mailman", "site_owner"): ("site", "owner", str),
    ("mailman", "default_language"): ("site", "language", str),
    ("mailman", "noreply_address"): ("mail", "noreply_address", str),
    ("mailman", "email_commands_max_lines"): ("mail", "email_commands_max_lines", int),
    ("mailman", "pending_request_life"): ("mail", "pending_request_days", _days),
    ("mailman", "moderator_request_life"): ("mail", "moderator_request_days", _days),
    ("mailman", "run_tasks_every"): ("mail", "run_tasks_every", seconds_of),
    ("mailman", "listname_chars"): ("mail", "listname_chars", str),
    ("mailman", "hold_digest"): ("mail", "hold_digest", yes_or_no),
    ("mailman", "masthead_threshold"): ("mail", "masthead_threshold", int),
    ("mta", "smtp_host"): ("smtp", "host", str),
    ("mta", "smtp_port"): ("smtp", "port", int),
    ("mta", "smtp_user"): ("smtp", "user", str),
    ("mta", "smtp_pass"): ("smtp", "password", str),
    ("mta", "smtp_secure_mode"): ("smtp", "security", _security),
    ("mta", "delivery_retry_period"): ("mail", "delivery_retry_days", _days),
    ("mta", "verp_probes"): ("mail", "verp_probes", yes_or_no),
    ("mta", "max_autoresponses_per_day"): ("mail", "max_autoresponses_per_day", int),
    ("mta", "remove_dkim_headers"): ("mail", "remove_dkim_headers", yes_or_no),
    ("digests", "plain_digest_keep_headers"): ("mail", "plain_digest_keep_headers", str.split),
    ("digests", "mime_digest_keep_headers"): ("mail", "mime_digest_keep_headers", str.split),
    ("antispam", "header_checks"): ("mail", "header_checks", _lines),
    ("antispam", "jump_chain"): ("mail", "jump_chain", str),
    ("ARC", "enabled"): ("dkim", "arc", yes_or_no),
    ("ARC", "trusted_authserv_ids"): ("mail", "trusted_authserv_ids", _words),
    ("archiver.master", "clobber_date"): ("archivers", "clobber_date", str),
    ("archiver.master", "clobber_skew"): ("archivers", "clobber_skew_days", _days),
    ("archiver.mail_archive", "enable"): ("archivers", "mail_archive", yes_or_no),
    ("archiver.mail_archive", "base_url"): ("archivers", "mail_archive_url", str),
    ("archiver.mail_archive", "recipient"): ("archivers", "mail_archive_recipient", str),
    ("archiver.mhonarc", "enable"): ("archivers", "mhonarc", yes_or_no),
    ("archiver.mhonarc", "base_url"): ("archivers", "mhonarc_url", str),
    ("archiver.mhonarc", "command"): ("archivers", "mhonarc_command", _command),
    ("archiver.prototype", "enable"): ("archivers", "prototype", yes_or_no),
    ("nntp", "host"): ("nntp", "host", str),
    ("nntp", "port"): ("nntp", "port", int),
    ("nntp", "user"): ("nntp", "user", str),
    ("nntp", "password"): ("nntp", "password", str),
    ("nntp", "gatenews_every"): ("nntp", "fetch_every", seconds_of),
    ("nntp", "remove_headers"): ("nntp", "remove_headers", str.split),
    ("webservice", "admin_user"): ("rest", "user", str),
    ("webservice", "admin_pass"): ("rest", "password", str),
}
"""Mailman's section and key → ours, and how the value is read."""

LISTENERS: Mapping[str, tuple[str, str, str]] = {
    "lmtp": ("mta", "lmtp_host", "lmtp_port"),
    "rest": ("webservice", "hostname", "port"),
}
"""Our section → Mailman's section with the host and port it listened on."""

_MTAS = {"postfix": "postfix", "exim4": "exim"}
_DEFAULT_PASSWORDS = ("restpass", "")


def mapped(cfg: MailmanCfg) -> dict[str, dict[str, object]]:
    """What the file says of our settings, as `postroad.toml` would: section → key → value.

    A password that Mailman ships as default is not taken over: anybody knows it.

    Raises:
        ConfigurationError: a value that cannot be understood, with file, section and key.
    """
    found: dict[str, dict[str, object]] = {}
    cfg = _with_files_of_archivers(cfg)
    for (section, key), (ours, name, convert) in MAPPED.items():
        text = cfg.get(section, key)
        if not text or ((section, key) == ("webservice", "admin_pass") and text in _DEFAULT_PASSWORDS):
            continue
        try:
            found.setdefault(ours, {})[name] = convert(text)
        except (BadInput, ValueError) as error:
            raise ConfigurationError(f"{cfg.file}: [{section}] {key}: {error}") from None
    for ours, (section, host, port) in LISTENERS.items():
        if cfg.get(section, port):
            where = cfg.get(section, host, "127.0.0.1")
            address = "127.0.0.1" if where == "localhost" else where
            found.setdefault(ours, {})["listen"] = f"{address}:{cfg.get(section, port)}"
    return {**found, "maps": _maps(cfg)}


def _maps(cfg: MailmanCfg) -> dict[str, object]:
    """The files Mailman kept for the MTA: which, where, and of what type; Postfix's where the file is silent."""
    module = cfg.get("mta", "incoming", "mailman.mta.postfix.LMTP").split(".")
    mta = next((_MTAS[part] for part in module if part in _MTAS), "none")
    found: dict[str, object] = {"files": mta}
    if mta != "none":
        found["folder"] = cfg.paths()["list_data_dir" if mta == "exim" else "data_dir"]
    named = Path(cfg.filled(cfg.get("mta", "configuration")))
    if mta == "postfix" and named.is_file():
        own = read(named)
        kind, postmap = own.get("postfix", "transport_file_type"), own.get("postfix", "postmap_command")
        found |= {"type": "regex"} if kind.startswith("regex") else {"type": kind} if kind else {}
        found |= {"postmap": postmap} if postmap else {}
    return found
