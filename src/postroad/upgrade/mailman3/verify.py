"""Recounts an old site and this one, each by itself, and says on one page what agrees.

It shares nothing with the importer but the way to open the old databases: what a thing is called there and here is
worked out anew, object by object, so that a mistake of the importer cannot hide in it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress

from postroad.community.bans.models import Ban
from postroad.community.lists.models import Domain, HeaderMatch, MailingList
from postroad.community.people.models import Address, User
from postroad.community.subscriptions.models import Member
from postroad.mailflow.archive.models import Favorite, Mail, Tag, Thread, Vote
from postroad.mailflow.moderation.models import HeldMessage
from postroad.upgrade.importing.models import ImportNote
from postroad.upgrade.mailman3.databases import OldDatabase
from postroad.upgrade.mailman3.installation import Installation

_ROLES = {1: "member", 2: "owner", 3: "moderator", 4: "nonmember"}
_SHOWN = 3
Names = Iterable[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing: how many there are on each side, what only one side has, and how much the report told."""

    what: str
    there: int
    here: int
    missing: tuple[str, ...]
    surplus: int
    told: int

    @property
    def agrees(self) -> bool:
        """Everything is here, but for what the import's report named as not possible."""
        return len(self.missing) <= self.told


def verify(installation: Installation) -> list[Finding]:
    """Recount everything that can be named on both sides."""
    notes = ImportNote.objects.filter(source__name=installation.name)
    told: dict[str, set[str]] = {}
    for kind, key in notes.values_list("kind", "key"):
        told.setdefault(kind, set()).add(key)
    findings = []
    for what, kind, there, here in _CHECKS:
        old, new = _names(there(installation)), _names(here())
        missing = sorted(old - new)
        shown = tuple(" ".join(map(str, name)) for name in missing)
        findings.append(Finding(what, len(old), len(new), shown, len(new - old), len(told.get(kind, ()))))
    return findings


def _names(names: Names) -> set[tuple[str, ...]]:
    return {tuple(str(part or "").strip().lower() for part in name) for name in names}


# --- there


def _rows(database: OldDatabase | None, table: str, *columns: str) -> Iterable[dict[str, Any]]:
    return database.rows(table, columns) if database is not None else ()


def _old_members(old: Installation) -> Names:
    emails = {row["id"]: row["email"] for row in _rows(old.core, "address", "id", "email")}
    users = {row["id"]: str(row["_user_id"]).replace("-", "") for row in _rows(old.core, "user", "id", "_user_id")}
    for row in _rows(old.core, "member", "list_id", "role", "address_id", "user_id"):
        subject = emails.get(row["address_id"]) or users.get(row["user_id"])
        yield row["list_id"], _ROLES.get(row["role"]), subject


def _old_bans(old: Installation) -> Names:
    for row in _rows(old.core, "ban", "email", "list_id"):
        yield row["list_id"], str(row["email"]).replace("(?i)", "")


def _old_checks(old: Installation) -> Names:
    lists = {row["id"]: row["list_id"] for row in _rows(old.core, "mailinglist", "id", "list_id")}
    for row in _rows(old.core, "headermatch", "mailing_list_id", "header", "pattern"):
        yield lists.get(row["mailing_list_id"]), row["header"], str(row["pattern"]).replace("(?i)", "")


def _old_archive(old: Installation) -> dict[Any, str]:
    found = {}
    for row in _rows(old.web, "hyperkitty_mailinglist", "id", "name", "list_id"):
        found[row["id"]] = row["list_id"] or row["name"].replace("@", ".", 1)
    return found


def _old_mails(old: Installation) -> Names:
    lists = _old_archive(old)
    for row in _rows(old.web, "hyperkitty_email", "mailinglist_id", "message_id_hash"):
        yield lists.get(row["mailinglist_id"]), row["message_id_hash"]


def _old_threads(old: Installation) -> Names:
    """With their mails: a thread that lost one is another one."""
    lists = _old_archive(old)
    keys: dict[int, tuple[Any, Any]] = {}
    sizes: dict[int, int] = {}
    for row in _rows(old.web, "hyperkitty_thread", "id", "mailinglist_id", "thread_id"):
        keys[row["id"]] = (lists.get(row["mailinglist_id"]), row["thread_id"])
    for row in _rows(old.web, "hyperkitty_email", "thread_id"):
        sizes[row["thread_id"]] = sizes.get(row["thread_id"], 0) + 1
    return ((*keys[thread], size) for thread, size in sizes.items() if thread in keys)


def _old_social(table: str, column: str) -> Callable[[Installation], Names]:
    """How much readers added to each mail or thread: people are known by other numbers here."""

    def names(old: Installation) -> Names:
        of = "hyperkitty_email" if column == "email_id" else "hyperkitty_thread"
        name = "message_id_hash" if column == "email_id" else "thread_id"
        lists = _old_archive(old)
        rows = _rows(old.web, of, "id", "mailinglist_id", name)
        known = {row["id"]: (lists.get(row["mailinglist_id"]), row[name]) for row in rows}
        extra = {"hyperkitty_tagging": "tag_id"}.get(table)
        seen = {
            (row[column], row["user_id"], row[extra] if extra else None)
            for row in _rows(old.web, table, column, "user_id", *([extra] if extra else []))
        }
        return _counted(known[thing] for thing, _, _ in seen if thing in known)

    return names


def _counted(things: Names) -> Names:
    counts: dict[tuple[Any, ...], int] = {}
    for thing in things:
        counts[thing] = counts.get(thing, 0) + 1
    return ((*thing, count) for thing, count in counts.items())


# --- here


def _new_members() -> Names:
    rows = Member.objects.values_list("mailing_list__list_id", "role", "address__email", "user__uuid")
    for list_id, role, email, user in rows.iterator(5000):
        yield list_id, role, email or user.hex


_CHECKS: tuple[tuple[str, str, Callable[[Installation], Names], Callable[[], Names]], ...] = (
    ("domains", "domains", lambda old: ((r["mail_host"],) for r in _rows(old.core, "domain", "mail_host")),
     lambda: Domain.objects.values_list("mail_host")),
    ("lists", "lists", lambda old: ((r["list_id"],) for r in _rows(old.core, "mailinglist", "list_id")),
     lambda: MailingList.objects.values_list("list_id")),
    ("users", "users",
     lambda old: ((str(r["_user_id"]).replace("-", ""),) for r in _rows(old.core, "user", "_user_id")),
     lambda: ((uuid.hex,) for uuid in User.objects.values_list("uuid", flat=True))),
    ("addresses", "addresses", lambda old: ((r["email"],) for r in _rows(old.core, "address", "email")),
     lambda: Address.objects.values_list("email")),
    ("verified addresses", "addresses",
     lambda old: ((r["email"],) for r in _rows(old.core, "address", "email", "verified_on") if r["verified_on"]),
     lambda: Address.objects.filter(verified_on__isnull=False).values_list("email")),
    ("memberships, by list and role", "members", _old_members, _new_members),
    ("bans", "bans", _old_bans, lambda: Ban.objects.values_list("mailing_list__list_id", "email")),
    ("header checks", "header checks", _old_checks,
     lambda: HeaderMatch.objects.values_list("mailing_list__list_id", "header", "pattern")),
    ("held posts", "held posts", lambda old: ((r["id"],) for r in _rows(old.core, "_request", "id")),
     lambda: HeldMessage.objects.values_list("request_id")),
    ("sign-in addresses", "web accounts",
     lambda old: ((r["email"],) for r in _rows(old.web, "account_emailaddress", "email", "verified") if r["verified"]),
     lambda: EmailAddress.objects.filter(verified=True).values_list("email")),
    ("archived mails, by list", "archived mails", _old_mails,
     lambda: Mail.objects.values_list("mailing_list__list_id", "message_id_hash").iterator(5000)),
    ("threads, with the number of their mails", "threads", _old_threads,
     lambda: Thread.objects.values_list("mailing_list__list_id", "key", "count").iterator(5000)),
    ("votes, by mail", "votes", _old_social("hyperkitty_vote", "email_id"),
     lambda: _counted(Vote.objects.values_list("mail__mailing_list__list_id", "mail__message_id_hash"))),
    ("tags, by thread", "tags", _old_social("hyperkitty_tagging", "thread_id"),
     lambda: _counted(Tag.objects.values_list("thread__mailing_list__list_id", "thread__key"))),
    ("favourites, by thread", "favourites", _old_social("hyperkitty_favorite", "thread_id"),
     lambda: _counted(Favorite.objects.values_list("thread__mailing_list__list_id", "thread__key"))),
)  # fmt: skip


def as_page(findings: Iterable[Finding]) -> str:
    """The page."""
    lines = [f"{'what':42}{'there':>12}{'here':>12}{'missing':>10}{'told':>8}  agrees"]
    for f in findings:
        lines.append(
            f"{f.what:42}{f.there:>12,}{f.here:>12,}{len(f.missing):>10,}{f.told:>8,}  {'yes' if f.agrees else 'NO'}"
        )
        if not f.agrees:
            lines += [f"    missing: {name}" for name in f.missing[:_SHOWN]]
            if len(f.missing) > _SHOWN:
                lines.append(f"    … and {len(f.missing) - _SHOWN:,} more")
    lines += [
        "", "missing: named there and not here; told: named in the import's report, with the reason.",
        "More here than there is no fault: accounts of the web pages, lists of old archives, and what was made here.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
