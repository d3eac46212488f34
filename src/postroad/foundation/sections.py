"""The sections of `postroad.toml`: every key with its type and what it is when nothing is said."""

import typing
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listen:
    """An address to listen on; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Site:
    """Who this site is, to people; `mailman_cfg` names an old mailman.cfg that counts where this file is silent.

    A `shadow` of a living old site, as the first import makes one, leaves to that what is done at its time (digests,
    reminders, news, ends of bounces and requests) and the MTA's files; `postroad import … --cut-over` ends it.
    """

    base_url: str = "http://127.0.0.1:8000"
    name: str = "Postroad"
    owner: str = "postmaster@localhost.localdomain"
    language: str = "en"
    mailman_cfg: str = ""
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Database:
    """`sqlite:///postroad.db` (relative to the home) or `postgresql://user:password@host:port/name`."""

    url: str = "sqlite:///postroad.db"


@dataclass(frozen=True, slots=True)
class Web:
    """The pages; `threads` answer requests at the same time.

    `trust_forwarded` believes X-Forwarded-For and -Proto, and is for a proxy before us: without it all visitors are one
    to the limits on joining and signing in.
    """

    listen: Listen = Listen("127.0.0.1", 8000)
    threads: int = 4
    trust_forwarded: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """The REST API and its one site-wide credential; the password is generated with the file."""

    listen: Listen = Listen("127.0.0.1", 8001)
    user: str = "restadmin"
    password: str = ""


@dataclass(frozen=True, slots=True)
class Lmtp:
    """Where the MTA hands in mail, and what is taken at most (bytes, recipients, connections, seconds)."""

    listen: Listen = Listen("127.0.0.1", 8024)
    max_size: int = 33_554_432
    max_recipients: int = 1000
    max_connections: int = 200
    idle_seconds: int = 300
    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Maps:
    """How the MTA learns our addresses: asked live (`listen = "127.0.0.1:8025"`), or from files kept in `folder`.

    `type` is the kind of Postfix's table; `postmap` makes one of a file, unless the type is "regex".
    """

    listen: Listen | None = None
    files: typing.Literal["none", "postfix", "exim"] = "none"
    folder: str = "data"
    type: typing.Literal["hash", "lmdb", "cdb", "regex"] = "hash"
    postmap: str = "/usr/sbin/postmap"


@dataclass(frozen=True, slots=True)
class Smtp:
    """The relay that mail is handed to; host "" keeps every mail in the built-in outbox instead."""

    host: str = "127.0.0.1"
    port: int = 25
    user: str = ""
    password: str = ""
    security: typing.Literal["none", "starttls", "tls"] = "none"
    connections: int = 8


@dataclass(frozen=True, slots=True)
class Templates:
    """URL prefixes beside `base_url` that template URIs set through REST may be fetched from."""

    fetch_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Networks (`10.0.0.0/8`) that webhooks may reach although they are not of the public network."""

    allow_networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mail:
    """How mail is treated, site-wide; days and seconds are in the names."""

    verp_probes: bool = True
    verp_key_days: int = 14
    count_unkeyed_bounces: bool = False
    delivery_retry_days: float = 5.0
    retry_first_seconds: float = 60.0
    retry_most_seconds: float = 14_400.0
    remove_dkim_headers: bool = False
    email_commands_max_lines: int = 10
    max_autoresponses_per_day: int = 10
    pending_request_days: float = 3.0
    moderator_request_days: float = 180.0
    noreply_address: str = "noreply"
    run_tasks_every: float = 3600.0
    hold_digest: bool = False
    plain_digest_keep_headers: tuple[str, ...] = (
        "Message", "Date", "From", "Subject", "To", "Cc", "Message-ID", "Keywords",
    )  # fmt: skip
    mime_digest_keep_headers: tuple[str, ...] = (
        "Date", "From", "To", "Cc", "Subject", "Message-ID", "Keywords", "In-Reply-To", "References", "Content-Type",
        "MIME-Version", "Content-Transfer-Encoding", "Precedence", "Reply-To", "Message", "List-Post",
    )  # fmt: skip
    masthead_threshold: int = 4
    header_checks: tuple[str, ...] = ()
    jump_chain: str = "hold"
    listname_chars: str = "[-_.0-9a-z]"
    trusted_authserv_ids: tuple[str, ...] = ()
    answer_strangers: bool = False


@dataclass(frozen=True, slots=True)
class Dkim:
    """Signatures on what goes out (RFC 6376), by the keys that `postroad dkim` makes; `arc` seals posts (RFC 8617)."""

    sign: bool = True
    arc: bool = False


@dataclass(frozen=True, slots=True)
class Dns:
    """Name servers (`192.0.2.1`, `127.0.0.1:5353`; the system's when there are none), seconds for a try and for all."""

    servers: tuple[str, ...] = ()
    timeout_seconds: float = 3.0
    lifetime_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Nntp:
    """The news server that lists are gated to (RFC 3977); host "" switches the gateway off. Times in seconds."""

    host: str = ""
    port: int = 119
    user: str = ""
    password: str = ""
    security: typing.Literal["none", "starttls", "tls"] = "none"
    fetch_every: float = 300.0
    timeout: float = 20.0
    remove_headers: tuple[str, ...] = (
        "nntp-posting-host", "nntp-posting-date", "x-trace", "x-complaints-to", "xref", "date-received", "posted",
        "posting-version", "relay-version", "received", "path", "injection-info", "injection-date",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Storage:
    """Where messages are kept: "database", "files" (below the home), or "s3" (a bucket of an S3-compatible store)."""

    kind: typing.Literal["database", "files", "s3"] = "database"
    bucket: str = ""
    prefix: str = ""
    """Before the name of every object, such as `mail/`."""
    endpoint: str = ""
    """Where the store answers, unless it is Amazon's."""
    region: str = "us-east-1"
    access_key: str = ""
    secret_key: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """A Mailman Core that archives here by its HyperKitty plugin."""

    hyperkitty_key: str = ""
    """The `api_key` of Core's HyperKitty plugin; without one nobody may archive here."""
    hyperkitty_from: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses that Core calls from; `*` is any."""


@dataclass(frozen=True, slots=True)
class Archivers:
    """Archivers of others that posts are handed to beside our own archive; none unless switched on here.

    Lists that do not want one switch it off over REST. Addresses and the command may have `$fqdn_listname`, `$listname`
    (the same), `$hostname` and `$list_id` in them, the command `$folder` too.
    """

    prototype: bool = False
    """A Maildir for each list, below `archives/prototype` in the home."""
    mail_archive: bool = False
    """The service mail-archive.com, by mail, for public lists."""
    mail_archive_url: str = "https://www.mail-archive.com/"
    mail_archive_recipient: str = "archive@mail-archive.com"
    mhonarc: bool = False
    """A program that reads a post: MHonArc, or any other."""
    mhonarc_url: str = "http://$hostname/archives/$fqdn_listname"
    mhonarc_command: tuple[str, ...] = ("mhonarc", "-quiet", "-add", "-outdir", "$folder")
    mhonarc_seconds: float = 60.0
    """After which the program is ended, and started anew later."""
    clobber_date: typing.Literal["never", "maybe", "always"] = "maybe"
    """Whether they get the time of reception as Date: "maybe" where it is missing or off by `clobber_skew_days`.

    One value for all of them; Mailman has one for each, and that of `[archiver.master]` is brought in.
    """
    clobber_skew_days: float = 1.0


@dataclass(frozen=True, slots=True)
class Backup:
    """Where whoever makes backups puts them, and how old the newest may be before `postroad doctor` complains."""

    folder: str = ""
    max_days: float = 2.0


@dataclass(frozen=True, slots=True)
class Log:
    """What is written to standard error: "debug", "info", "warning" or "error"."""

    level: typing.Literal["debug", "info", "warning", "error"] = "info"
