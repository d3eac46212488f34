"""The tables of what moves in, and what of their rows people may change here before the old system is switched off."""

from collections.abc import Collection

from postroad.community.bans.models import Ban
from postroad.community.lists import moving_in as lists
from postroad.community.lists.actions import change_settings
from postroad.community.lists.models import Domain, HeaderMatch, ListArchiver, MailingList
from postroad.community.lists.register import writable
from postroad.community.notices.models import OwnText
from postroad.community.people.models import PREFERENCE_NAMES, Address, User
from postroad.community.subscriptions.models import Member, Pending
from postroad.mailflow.archive.models import Favorite, Mail, Tag, Thread, Vote
from postroad.mailflow.moderation.models import HeldMessage
from postroad.upgrade.importing.both_sides import Rows, Values

_ARCHIVER = "archiver "
_USER = ("display_name", "password", "is_active", "is_superuser", *PREFERENCE_NAMES)
_PERSON = ("display_name", "password", *PREFERENCE_NAMES)


def _settings_of_lists(keys: Collection[int]) -> dict[int, Values]:
    settings = writable()
    found = {
        made.pk: {name: setting.of(made) for name, setting in settings.items()}
        for made in MailingList.objects.filter(pk__in=keys)
    }
    archivers = ListArchiver.objects.filter(mailing_list__in=found)
    for key, name, is_enabled in archivers.values_list("mailing_list", "name", "is_enabled"):
        found[key][_ARCHIVER + name] = is_enabled
    return dict(found)


def _set_settings(key: int, values: Values) -> None:
    archivers = {name: on for name, on in values.items() if name.startswith(_ARCHIVER)}
    settings = {name: value for name, value in values.items() if name not in archivers}
    change_settings(MailingList.objects.get(pk=key), settings)
    for name, is_enabled in archivers.items():
        archiver = ListArchiver.objects.filter(mailing_list=key, name=name.removeprefix(_ARCHIVER))
        archiver.update(is_enabled=is_enabled)


def _checks_of_lists(keys: Collection[int]) -> dict[int, Values]:
    found: dict[int, list[tuple[str | None, ...]]] = {key: [] for key in keys}
    rows = HeaderMatch.objects.filter(mailing_list__in=keys).order_by("mailing_list", "position")
    for key, *check in rows.values_list("mailing_list", "header", "pattern", "action", "tag"):
        found[key].append(tuple(check))
    return {key: {"all": checks} for key, checks in found.items()}


def _set_checks(key: int, values: Values) -> None:
    checks = [lists.Check(*check) for check in values["all"]]
    lists.bring_header_matches(MailingList.objects.get(pk=key), checks)


def _users(keys: Collection[int]) -> dict[int, Values]:
    return {row.pop("pk"): _known_password(row) for row in User.objects.filter(pk__in=keys).values("pk", *_USER)}


def _known_password(row: dict[str, object]) -> Values:
    """No password is written another way each time."""
    return {**row, "password": "" if str(row["password"]).startswith("!") else row["password"]}


def _persons(keys: Collection[int]) -> dict[int, Values]:
    """By the keys of addresses: what their users are like."""
    rows = Address.objects.filter(pk__in=keys, user__isnull=False)
    names = {f"user__{name}": name for name in _PERSON}
    return {
        row["pk"]: _known_password({name: row[long] for long, name in names.items()})
        for row in rows.values("pk", *names)
    }


def _set_person(key: int, values: Values) -> None:
    User.objects.filter(addresses=key).update(**values)


DOMAINS = Rows(Domain, ("description", "alias_domain", "base_url"))
LISTS = Rows(MailingList, read=_settings_of_lists, write=_set_settings)
HEADER_CHECKS = Rows(MailingList, read=_checks_of_lists, write=_set_checks)
BANS = Rows(Ban)
USERS = Rows(User, read=_users)
ADDRESSES = Rows(Address, ("display_name", *PREFERENCE_NAMES))
PERSONS = Rows(Address, read=_persons, write=_set_person)
MEMBERS = Rows(Member, ("moderation_action", *PREFERENCE_NAMES))
TEXTS = Rows(OwnText, ("text",))
HELD_POSTS = Rows(HeldMessage)
REQUESTS = Rows(Pending)
THREADS = Rows(Thread, ("category",))
MAILS = Rows(Mail)
VOTES, TAGS, FAVORITES = Rows(Vote), Rows(Tag), Rows(Favorite)
