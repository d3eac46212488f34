"""Web accounts of an old installation, and which of the core's users is the same person.

The two halves know people apart from each other; the only bond is an address that the web half has verified.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.hashers import identify_hasher

from postroad.foundation.message.addresses import identity
from postroad.upgrade.importing.on_disk import OnDisk
from postroad.upgrade.importing.plan import batches
from postroad.upgrade.mailman3.databases import PIECE, OldDatabase, Row
from postroad.upgrade.mailman3.values import moment, text

_ACCOUNT = (
    "id", "password", "last_login", "is_superuser", "is_staff", "is_active", "username", "first_name", "last_name",
    "email", "date_joined",
)  # fmt: skip


@dataclass(slots=True)
class Account:
    """One web account; `emails` are (as typed, verified, primary)."""

    id: int
    username: str
    name: str
    email: str
    password: str
    is_active: bool
    is_staff: bool
    is_superuser: bool
    last_login: Any
    date_joined: Any
    emails: list[tuple[str, bool, bool]] = field(default_factory=list)
    time_zone: str = ""
    groups: list[str] = field(default_factory=list)
    social: list[tuple[str, str, str]] = field(default_factory=list)
    """(provider, uid, extra data as JSON)."""

    @property
    def contact(self) -> str:
        """The address the account is known by: the primary one, else a verified one, else what Django holds."""
        ranked = sorted(self.emails, key=lambda e: (not e[2], not e[1]))
        return identity(ranked[0][0] if ranked else self.email)

    @property
    def hash(self) -> str:
        """The password's hash, if it can be checked here."""
        return self.password if self.password and not self.password.startswith("!") and self.has_known_hash else ""

    @property
    def has_known_hash(self) -> bool:
        """Whether the hash is of a kind that can be checked here."""
        try:
            identify_hasher(self.password)
        except ValueError:
            return False
        return True


def _account(row: Row) -> Account:
    return Account(
        row["id"], text(row["username"]), f"{text(row['first_name'])} {text(row['last_name'])}".strip(),
        text(row["email"]), text(row["password"]), bool(row["is_active"]), bool(row["is_staff"]),
        bool(row["is_superuser"]), moment(row["last_login"]), moment(row["date_joined"]),
    )  # fmt: skip


class Accounts:
    """Every web account, and its user in the core."""

    def __init__(self, core: OldDatabase, web: OldDatabase | None) -> None:
        self.by_id = OnDisk[int, Account]()
        self.user_of = OnDisk[int, int]()
        """Web account → the core's user."""
        self.account_of = OnDisk[int, int]()
        """The core's user → the web account that counts."""
        self.doubtful = OnDisk[int, str]()
        """Web accounts whose person the two halves do not agree about, and why."""
        if web is not None:
            self._read(web)
            self._link(core)

    def _read(self, web: OldDatabase) -> None:
        zones = "django_mailman3_profile" if web.has("django_mailman3_profile") else "hyperkitty_profile"
        groups = {row["id"]: text(row["name"]) for row in web.rows("auth_group", ("id", "name"))}
        for rows in batches(web.rows("auth_user", _ACCOUNT), PIECE):
            some = {row["id"]: _account(row) for row in rows}

            def of_these(table: str, *columns: str, some: dict[int, Account] = some) -> Iterator[tuple[Account, Row]]:
                found = web.pick(table, ("user_id", *columns), "user_id", list(some))
                return ((some[row["user_id"]], row) for row in found)

            for account, row in of_these("account_emailaddress", "email", "verified", "primary"):
                account.emails.append((text(row["email"]), bool(row["verified"]), bool(row["primary"])))
            for account, row in of_these(zones, "timezone"):
                account.time_zone = text(row["timezone"])
            for account, row in of_these("socialaccount_socialaccount", "provider", "uid", "extra_data"):
                account.social.append((text(row["provider"]), text(row["uid"]), text(row["extra_data"])))
            for account, row in of_these("auth_user_groups", "group_id"):
                account.groups.append(groups.get(row["group_id"], ""))
            self.by_id.update(some)

    def _link(self, core: OldDatabase) -> None:
        """Find each account's user by its verified addresses, the primary first."""
        owners = OnDisk[str, int]()
        for row in core.rows("address", ("email", "user_id")):
            if row["user_id"] is not None:
                owners[identity(text(row["email"]))] = row["user_id"]
        for account in self.by_id.values():
            users = list(dict.fromkeys(
                owners[identity(email)]
                for email, is_verified, _ in sorted(account.emails, key=lambda e: not e[2])
                if is_verified and identity(email) in owners
            ))  # fmt: skip
            if not users:
                continue
            self.user_of[account.id] = users[0]
            other = self.by_id.get(self.account_of.setdefault(users[0], account.id))
            if len(users) > 1:
                self.doubtful[account.id] = (
                    f"its addresses belong to {len(users)} users of the core; it is the first one's, and takes over the"
                    " other addresses at its next sign-in"
                )
            if other is not None and other.id != account.id:
                self.doubtful[account.id] = (
                    f"{other.username} is the same user of the core; the two accounts are one here, and the"
                    f" password of {other.username} counts"
                )

    def __iter__(self) -> Iterator[Account]:
        return iter(self.by_id.values())
