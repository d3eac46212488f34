"""Steps: users, addresses, web accounts, social sign-in."""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

from allauth.socialaccount.models import SocialAccount, SocialApp

from postroad.community.people import moving_in as people
from postroad.community.people.models import Address, User
from postroad.community.people.old_hashes import from_passlib
from postroad.foundation.errors import BadInput
from postroad.foundation.message.addresses import identity, is_valid_email
from postroad.mailflow.archive import moving_in as archive
from postroad.upgrade.changed_here import ADDRESSES, USERS
from postroad.upgrade.importing.on_disk import OnDisk
from postroad.upgrade.importing.plan import Batch, Item, Step, fingerprint_of
from postroad.upgrade.mailman3.accounts import Account, Accounts
from postroad.upgrade.mailman3.databases import Row
from postroad.upgrade.mailman3.moving import Moving, preferences, with_preferences
from postroad.upgrade.mailman3.values import EPOCH, moment, text, uuid

_NAMESPACE = UUID("b0f5c0de-5d1c-4e0e-9c55-6f3a3c1f7f10")
_USER = (
    "id", "display_name", "password", "_user_id", "_created_on", "is_server_owner", "_preferred_address_id",
    "preferences_id",
)  # fmt: skip
_ADDRESS = (
    "id", "email", "_original", "display_name", "verified_on", "registered_on", "user_id", "preferences_id",
)  # fmt: skip


class People:
    """Reads and writes people; knows which web account and which user of the core are the same person."""

    def __init__(self, moving: Moving) -> None:
        self._moving = moving

    @cached_property
    def accounts(self) -> Accounts:
        """Every web account."""
        return Accounts(self._moving.core, self._moving.installation.web)

    @cached_property
    def _preferred(self) -> OnDisk[int, int]:
        """Address → the user who prefers it."""
        found = OnDisk[int, int]()
        for row in self._moving.core.rows("user", ("id", "_preferred_address_id")):
            if row["_preferred_address_id"] is not None:
                found[row["_preferred_address_id"]] = row["id"]
        return found

    @cached_property
    def _contacts(self) -> OnDisk[int, tuple[int, str]]:
        """User → preferred address, else the first verified, else the first; before it the number of that rule."""
        ranked = OnDisk[int, tuple[int, str]]()
        for row in self._moving.core.rows("address", ("id", "email", "user_id", "verified_on")):
            if row["user_id"] is None:
                continue
            is_preferred = self._preferred.get(row["id"]) == row["user_id"]
            rank = 0 if is_preferred else 1 if row["verified_on"] else 2
            if row["user_id"] not in ranked or rank < ranked[row["user_id"]][0]:
                ranked[row["user_id"]] = (rank, identity(text(row["email"])))
        return ranked

    def steps(self) -> tuple[Step, ...]:
        """In their order."""
        core, web = self._moving.core, self._moving.installation.web
        return (
            Step("users", self._read_users, self._write_users, lambda: core.count("user"), rows=USERS,
                 remove=people.remove_users,
                 lasting=True),
            Step("addresses", self._read_addresses, self._write_addresses, lambda: core.count("address"),
                 rows=ADDRESSES, remove=people.remove_addresses, lasting=True),
            Step(
                "web accounts", self._read_accounts, self._write_accounts,
                lambda: web.count("auth_user") if web else 0, rows=USERS,
            ),
            Step("social sign-in", self._read_social_apps, _write_social_apps),
        )  # fmt: skip

    # --- users of the core

    def _read_users(self) -> Iterator[Item]:
        for row in with_preferences(self._moving.core, self._moving.core.rows("user", _USER)):
            account = self.accounts.by_id.get(self.accounts.account_of.get(row["id"], 0))
            contact = account.contact if account else self._contacts.get(row["id"], (0, ""))[1]
            told = (sorted(row.items(), key=str), contact, _of_user(account))
            yield Item(str(row["id"]), (row, contact, account), text(row["display_name"]) or contact,
                       fingerprint_of(told))  # fmt: skip

    def _write_users(self, batch: Batch) -> None:
        persons = [self._person(batch, item) for item in batch.items]
        for item, key in zip(batch.items, people.bring_users(persons), strict=True):
            batch.done(item, key)

    def _person(self, batch: Batch, item: Item) -> people.Person:
        row, contact, account = item.data
        owner = bool(row["is_server_owner"])
        if account is not None or self._moving.installation.web is not None:
            may_all = account is not None and account.is_superuser
            if owner and not may_all:
                batch.mapped(
                    item, "server owner in the core only, which gave no right on the web; it gives none here",
                    "is_server_owner",
                )  # fmt: skip
            owner = may_all
        return people.Person(
            uuid=_needed(uuid(row["_user_id"]), "id"), created_on=_moment(row["_created_on"]),
            display_name=text(row["display_name"]) or (account.name if account else ""), email=contact,
            password=account.hash if account else from_passlib(text(row["password"])),
            is_active=account.is_active if account else True, is_staff=account.is_staff if account else False,
            is_server_owner=owner, last_login=account.last_login if account else None,
            preferences=preferences(batch, item, row["preferences"]),
        )  # fmt: skip

    # --- addresses of the core

    def _read_addresses(self) -> Iterator[Item]:
        for row in with_preferences(self._moving.core, self._moving.core.rows("address", _ADDRESS)):
            row["is_preferred"] = self._preferred.get(row["id"]) == row["user_id"] is not None
            yield Item(str(row["id"]), row, text(row["email"]))

    def _write_addresses(self, batch: Batch) -> None:
        users = batch.find("users", {str(item.data["user_id"]) for item in batch.items if item.data["user_id"]})
        first: dict[str, Item] = {}
        twins: list[tuple[Item, str]] = []
        for item in batch.items:
            lower = identity(text(item.data["email"]))
            if lower in first or self._is_twin(batch, item, lower):
                twins.append((item, lower))
            else:
                first[lower] = item
        mailboxes = [_mailbox(batch, item, users) for item in first.values()]
        for item, key in zip(first.values(), people.bring_addresses(mailboxes), strict=True):
            batch.done(item, key)
        for item, lower in twins:
            batch.done(item, Address.objects.get(email=lower).pk)
            batch.mapped(item, f"is another spelling of an address; both are {lower} here")

    def _is_twin(self, batch: Batch, item: Item, lower: str) -> bool:
        """Whether an earlier address that differs in case became this one here."""
        if text(item.data["email"]) == lower or item.target is not None:
            return False
        there = Address.objects.filter(email=lower).values_list("pk", flat=True).first()
        known = batch.source.objects_there.filter(kind="addresses", target=there).exclude(key=item.key)
        return there is not None and known.exists()

    # --- web accounts

    def _read_accounts(self) -> Iterator[Item]:
        for account in self.accounts:
            user = self.accounts.user_of.get(account.id)
            told = (_of_account(account), user, self.accounts.doubtful.get(account.id))
            yield Item(str(account.id), account, account.username, fingerprint_of(told))

    def _write_accounts(self, batch: Batch) -> None:
        users = batch.find("users", {str(u) for i in batch.items if (u := self.accounts.user_of.get(i.data.id))})
        sign_ins: list[tuple[int, str, bool, bool]] = []
        for item in batch.items:
            account: Account = item.data
            linked = users.get(str(self.accounts.user_of.get(account.id)))
            key = linked if linked is not None else people.bring_users([_person_of(account)])[0]
            is_main = self.accounts.account_of.get(self.accounts.user_of.get(account.id, 0), account.id) == account.id
            if item.target not in (None, key):
                archive.hand_over(item.target, key)  # The core joined two users, of whom one goes.
            batch.done(item, key)
            _bring_verified(account, key)
            sign_ins += [
                (key, email, verified, is_main and identity(email) == account.contact)
                for email, verified, _ in account.emails or [(account.email, False, True)]
                if email
            ]
            self._bring_social(batch, item, key)
            self._tell(batch, item)
        people.let_sign_in(sign_ins)

    def _tell(self, batch: Batch, item: Item) -> None:
        account: Account = item.data
        if account.id in self.accounts.doubtful:
            batch.mapped(item, self.accounts.doubtful[account.id])
        elif (
            account.id not in self.accounts.user_of
            and Address.objects.filter(email=account.contact, user__isnull=False)
            .exclude(user=batch.targets[item.key])
            .exists()
        ):
            batch.mapped(
                item, f"nobody proved to own {account.contact}, and the core knows it as another user's: sign-in by"
                " mail leads there, and the password of this account does not",
            )  # fmt: skip
        if account.password and not account.password.startswith("!") and not account.has_known_hash:
            kind = account.password.partition("$")[0]
            batch.impossible(item, f"kept as {kind}, which cannot be checked here; sign-in by mail works", "password")
        if account.time_zone and account.time_zone != "UTC":
            batch.impossible(item, "pages show every moment in UTC", f"time zone {account.time_zone}")
        for group in account.groups:
            batch.impossible(item, "groups of Django's admin pages have no meaning here", f"group {group}")

    @staticmethod
    def _bring_social(batch: Batch, item: Item, user: int) -> None:
        for provider, uid, extra in item.data.social:
            try:
                data = json.loads(extra)
            except ValueError:
                data = {}
            SocialAccount.objects.update_or_create(
                provider=provider, uid=uid, defaults={"user_id": user, "extra_data": data}
            )
            if provider == "openid":
                batch.impossible(item, "OpenID 2.0 is no more; sign-in by mail or password works", f"openid {uid}")

    def _read_social_apps(self) -> Iterator[Item]:
        web = self._moving.installation.web
        if web is None:
            return
        columns = ("id", "provider", "provider_id", "name", "client_id", "secret", "key", "settings")
        for row in web.rows("socialaccount_socialapp", columns):
            yield Item(str(row["id"]), row, text(row["name"]))


def _of_user(account: Account | None) -> object:
    """What of an account makes its user."""
    if account is None:
        return None
    a = account
    return (a.name, a.password, a.is_active, a.is_staff, a.is_superuser, a.last_login)


def _of_account(account: Account) -> object:
    """What of an account is told by its fingerprint."""
    a = account
    return (a.username, a.email, _of_user(a), sorted(a.emails), a.time_zone, a.groups, a.social)


def _person_of(account: Account) -> people.Person:
    """A person the core never knew; the same in every run."""
    return people.Person(
        uuid=uuid5(_NAMESPACE, f"{account.username}\0{account.date_joined}"), created_on=_moment(account.date_joined),
        display_name=account.name or account.username, email=account.contact if is_valid_email(account.contact) else "",
        password=account.hash, is_active=account.is_active, is_staff=account.is_staff,
        is_server_owner=account.is_superuser, last_login=account.last_login,
    )  # fmt: skip


def _bring_verified(account: Account, user: int) -> None:
    """What the account has proved to own is its user's, unless it is another user's in the core."""
    verified = {identity(email): email for email, is_verified, _ in account.emails if is_verified}
    there = {row.email: row for row in Address.objects.filter(email__in=verified)}
    new = [
        people.Mailbox(email, registered_on=_moment(account.date_joined), verified_on=_moment(account.date_joined),
                       user=user)
        for lower, email in verified.items()
        if lower not in there and is_valid_email(email)
    ]  # fmt: skip
    keys = people.bring_addresses(new)
    for row in there.values():
        if row.user_id is None or (row.user_id == user and row.verified_on is None):
            row.user_id, row.verified_on = user, row.verified_on or _moment(account.date_joined)
            row.save(update_fields=["user", "verified_on"])
            keys.append(row.pk)
    if keys:
        User.objects.filter(pk=user, preferred_address=None).update(preferred_address=keys[0])


def _mailbox(batch: Batch, item: Item, users: dict[str, int]) -> people.Mailbox:
    row: Row = item.data
    email = text(row["email"])
    original = text(row["_original"]) or email
    if row["user_id"] is not None and str(row["user_id"]) not in users:
        batch.impossible(item, "its user is not here, so the address is nobody's", "user")
    return people.Mailbox(
        original if identity(original) == identity(email) else email, registered_on=_moment(row["registered_on"]),
        display_name=text(row["display_name"]), verified_on=moment(row["verified_on"]),
        user=users.get(str(row["user_id"])), is_preferred=bool(row["is_preferred"]),
        preferences=preferences(batch, item, row["preferences"]),
    )  # fmt: skip


def _write_social_apps(batch: Batch) -> None:
    for item in batch.items:
        row: Row = item.data
        app, _ = SocialApp.objects.update_or_create(
            provider=text(row["provider"]), client_id=text(row["client_id"]),
            defaults={
                "name": text(row["name"]), "secret": text(row["secret"]), "key": text(row["key"]),
                "provider_id": text(row["provider_id"]),
            },
        )  # fmt: skip
        batch.done(item, app.pk)
        batch.mapped(item, "kept with its secret; it shows up at sign-in once this provider is part of the site")


def _moment(value: Any) -> datetime:
    return moment(value) or EPOCH


def _needed(value: UUID | None, what: str) -> UUID:
    if value is None:
        raise BadInput(f"it has no {what}")
    return value
