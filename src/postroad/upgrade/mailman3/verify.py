"""What `verify` recounts of a Mailman 3 site: it shares nothing with the importer but the way to open databases."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from allauth.account.models import EmailAddress

from postroad.community.bans.models import Ban
from postroad.community.bans.queries import compared
from postroad.community.lists.models import Domain, HeaderMatch, MailingList
from postroad.community.lists.register import all_settings
from postroad.community.people.models import Address, User
from postroad.community.subscriptions.models import Member
from postroad.foundation.message.addresses import identity
from postroad.mailflow.archive.models import Favorite, Mail, Tag, Thread, Vote
from postroad.upgrade.mailman3.databases import OldDatabase
from postroad.upgrade.mailman3.installation import Installation
from postroad.upgrade.mailman3.recount_settings import OPTIONS, UNORDERED, options, settings
from postroad.upgrade.mailman3.recount_texts import held_posts, own_texts
from postroad.upgrade.recounting import held_here, texts_here
from postroad.upgrade.usual import usual_values
from postroad.upgrade.verifying import Check, Name, Thing, plain

_ROLES = {1: "member", 2: "owner", 3: "moderator", 4: "nonmember"}
Things = Iterator[Thing]


def checks(old: Installation) -> Iterator[Check]:
    """Everything that can be named on both sides."""
    for what, there, here in _CHECKS:
        yield Check(what, lambda there=there: there(old), here)  # type: ignore[misc]


def _rows(database: OldDatabase | None, table: str, *columns: str) -> Iterable[dict[str, Any]]:
    return database.rows(table, columns) if database is not None else ()


def _digits(uuid: Any) -> str:
    return str(uuid).replace("-", "")


# --- there


def _old_domains(old: Installation) -> Things:
    for row in _rows(old.core, "domain", "id", "mail_host"):
        yield Thing((row["mail_host"],), "domains", (str(row["id"]),))


def _old_lists(old: Installation) -> Things:
    for row in _rows(old.core, "mailinglist", "id", "list_id"):
        yield Thing((row["list_id"],), "lists", (str(row["id"]),))


def _old_users(old: Installation) -> Things:
    for row in _rows(old.core, "user", "id", "_user_id"):
        yield Thing((_digits(row["_user_id"]),), "users", (str(row["id"]),))


def _old_addresses(old: Installation) -> Things:
    for row in _rows(old.core, "address", "id", "email"):
        yield Thing((identity(str(row["email"])),), "addresses", (str(row["id"]),))


def _old_verified(old: Installation) -> Things:
    for row in _rows(old.core, "address", "id", "email", "verified_on"):
        if row["verified_on"]:
            yield Thing((identity(str(row["email"])),), "addresses", (str(row["id"]),))


def _old_members(old: Installation) -> Things:
    emails = {row["id"]: identity(str(row["email"])) for row in _rows(old.core, "address", "id", "email")}
    users = {row["id"]: _digits(row["_user_id"]) for row in _rows(old.core, "user", "id", "_user_id")}
    for row in _rows(old.core, "member", "id", "list_id", "role", "address_id", "user_id"):
        subject = emails.get(row["address_id"]) or users.get(row["user_id"])
        yield Thing((row["list_id"], _ROLES.get(row["role"]), subject), "members", (str(row["id"]),))


def _old_bans(old: Installation) -> Things:
    for row in _rows(old.core, "ban", "id", "email", "list_id"):
        yield Thing((row["list_id"], compared(str(row["email"]).replace("(?i)", ""))), "bans", (str(row["id"]),))


def _old_checks(old: Installation) -> Things:
    lists = {row["id"]: row["list_id"] for row in _rows(old.core, "mailinglist", "id", "list_id")}
    for row in _rows(old.core, "headermatch", "mailing_list_id", "header", "pattern"):
        name = lists.get(row["mailing_list_id"]), row["header"], str(row["pattern"]).replace("(?i)", "")
        yield Thing(name, "header checks", (str(row["mailing_list_id"]),))


def _old_sign_ins(old: Installation) -> Things:
    for row in _rows(old.web, "account_emailaddress", "email", "verified", "user_id"):
        if row["verified"]:
            yield Thing((identity(str(row["email"])),), "web accounts", (str(row["user_id"]),))


def _old_archive(old: Installation) -> dict[Any, str]:
    """List-ids by what other tables call a list: before HyperKitty 1.1.4 that was its address."""
    found = {}
    table, columns = "hyperkitty_mailinglist", ("id", "name", "list_id")
    for row in old.web.rows(table, columns, key=("name",)) if old.web is not None else ():
        found[row["id"] or row["name"]] = row["list_id"] or row["name"].replace("@", ".", 1)
    return found


def _old_mails(old: Installation) -> Things:
    lists = _old_archive(old)
    for row in _rows(old.web, "hyperkitty_email", "id", "mailinglist_id", "message_id_hash"):
        yield Thing((lists.get(row["mailinglist_id"]), row["message_id_hash"]), "archived mails", (str(row["id"]),))


def _old_threads(old: Installation) -> Things:
    """With their mails: a thread that lost one is another one."""
    lists = _old_archive(old)
    mails: dict[int, list[str]] = {}
    for row in _rows(old.web, "hyperkitty_email", "id", "thread_id"):
        mails.setdefault(row["thread_id"], []).append(str(row["id"]))
    for row in _rows(old.web, "hyperkitty_thread", "id", "mailinglist_id", "thread_id"):
        if keys := mails.get(row["id"]):
            yield Thing((lists.get(row["mailinglist_id"]), row["thread_id"], len(keys)), "archived mails", keys)


def _old_social(kind: str, table: str, column: str) -> Callable[[Installation], Things]:
    """How much readers added to each mail or thread: people are known by other numbers here."""

    def things(old: Installation) -> Things:
        of = "hyperkitty_email" if column == "email_id" else "hyperkitty_thread"
        name = "message_id_hash" if column == "email_id" else "thread_id"
        lists = _old_archive(old)
        rows = _rows(old.web, of, "id", "mailinglist_id", name)
        known = {row["id"]: (lists.get(row["mailinglist_id"]), row[name]) for row in rows}
        extra = {"hyperkitty_tagging": "tag_id"}.get(table)
        once: dict[Any, dict[Any, str]] = {}
        for row in _rows(old.web, table, "id", column, "user_id", *([extra] if extra else [])):
            whose = row["user_id"], row[extra] if extra else None
            once.setdefault(row[column], {})[whose] = str(row["id"])
        for thing, keys in once.items():
            if thing in known:
                yield Thing((*known[thing], len(keys)), kind, tuple(keys.values()))

    return things


def _old_settings(old: Installation) -> Things:
    usual = usual_values([row["list_id"] for row in _rows(old.core, "mailinglist", "list_id")])
    for row, setting, value in settings(old.core):
        list_id, key = row["list_id"], (str(row["id"]),)
        instead = list_id, setting, usual.get(list_id, {}).get(setting, "")
        yield Thing((list_id, setting, plain(value)), "lists", key, (setting,), instead)


def _old_options(old: Installation) -> Things:
    emails = {row["id"]: identity(str(row["email"])) for row in _rows(old.core, "address", "id", "email")}
    users = {row["id"]: _digits(row["_user_id"]) for row in _rows(old.core, "user", "id", "_user_id")}
    for row, option, value in options(old.core):
        subject = emails.get(row["address_id"]) or users.get(row["user_id"])
        name = row["list_id"], _ROLES.get(row["role"]), subject, option, plain(value)
        yield Thing(name, "members", (str(row["id"]),), (option,))


# --- here


def _new_settings() -> Iterator[Name]:
    for made in MailingList.objects.iterator():
        for name, setting in all_settings().items():
            value = setting.of(made)
            yield made.list_id, name, plain(sorted(value) if name in UNORDERED else value)


def _new_options() -> Iterator[Name]:
    rows = Member.objects.values_list("mailing_list__list_id", "role", "address__email", "user__uuid", *OPTIONS)
    for list_id, role, email, user, *values in rows.iterator(5000):
        for option, value in zip(OPTIONS, values, strict=True):
            yield list_id, role, email or user.hex, option, plain(value)


def _counted(things: Iterable[Name]) -> Iterator[Name]:
    counts: dict[Name, int] = {}
    for thing in things:
        counts[thing] = counts.get(thing, 0) + 1
    return ((*thing, count) for thing, count in counts.items())


def _new_members() -> Iterator[Name]:
    rows = Member.objects.values_list("mailing_list__list_id", "role", "address__email", "user__uuid")
    for list_id, role, email, user in rows.iterator(5000):
        yield list_id, role, email or user.hex


_CHECKS: tuple[tuple[str, Callable[[Installation], Things], Callable[[], Iterable[Name]]], ...] = (
    ("domains", _old_domains, lambda: Domain.objects.values_list("mail_host")),
    ("lists", _old_lists, lambda: MailingList.objects.values_list("list_id")),
    ("users", _old_users, lambda: ((uuid.hex,) for uuid in User.objects.values_list("uuid", flat=True))),
    ("addresses", _old_addresses, lambda: Address.objects.values_list("email")),
    ("verified addresses", _old_verified,
     lambda: Address.objects.filter(verified_on__isnull=False).values_list("email")),
    ("memberships, by list and role", _old_members, _new_members),
    ("settings", _old_settings, _new_settings),
    ("members' options, each with its value", _old_options, _new_options),
    ("bans", _old_bans, lambda: Ban.objects.values_list("mailing_list__list_id", "email")),
    ("header checks", _old_checks,
     lambda: HeaderMatch.objects.values_list("mailing_list__list_id", "header", "pattern")),
    ("held posts, word for word", held_posts, held_here),
    ("own texts, word for word", own_texts, lambda: texts_here(str)),
    ("sign-in addresses", _old_sign_ins, lambda: EmailAddress.objects.filter(verified=True).values_list("email")),
    ("archived mails, by list", _old_mails,
     lambda: Mail.objects.values_list("mailing_list__list_id", "message_id_hash").iterator(5000)),
    ("threads, with the number of their mails", _old_threads,
     lambda: Thread.objects.values_list("mailing_list__list_id", "key", "count").iterator(5000)),
    ("votes, by mail", _old_social("votes", "hyperkitty_vote", "email_id"),
     lambda: _counted(Vote.objects.values_list("mail__mailing_list__list_id", "mail__message_id_hash"))),
    ("tags, by thread", _old_social("tags", "hyperkitty_tagging", "thread_id"),
     lambda: _counted(Tag.objects.values_list("thread__mailing_list__list_id", "thread__key"))),
    ("favourites, by thread", _old_social("favourites", "hyperkitty_favorite", "thread_id"),
     lambda: _counted(Favorite.objects.values_list("thread__mailing_list__list_id", "thread__key"))),
)  # fmt: skip
