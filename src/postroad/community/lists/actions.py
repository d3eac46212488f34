"""The verbs of domains, lists, their settings, header checks and counters; each is one transaction."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.db.models import F, Model
from django.utils import timezone
from django.utils.module_loading import import_string

from postroad.community.lists import archivers
from postroad.community.lists.models import Domain, HeaderMatch, ListArchiver, MailingList
from postroad.community.lists.queries import find_domain, lists_of_domain
from postroad.community.lists.register import all_settings
from postroad.community.lists.styles import DEFAULT_STYLE, STYLES
from postroad.community.lists.values import bounded, checked
from postroad.foundation.configuration import current
from postroad.foundation.errors import BadInput, NotFound
from postroad.foundation.message.addresses import is_valid_email
from postroad.foundation.patterns import compile_pattern

_ALLOWED_IN_LIST_NAME = re.compile(r"[-a-z0-9_.+=!$*{}~]+")
_HOST = re.compile(r"(?!-)[-0-9a-z\u0080-\U0010ffff]+(\.(?!-)[-0-9a-z\u0080-\U0010ffff]+)*")
_HEADER_NAME = re.compile(r"[!-9;-~]+")
_ACTIONS = ("hold", "reject", "discard", "accept", "defer")
_MIRRORED = ("advertised", "archive_policy")
"""Settings that stand as columns too, since lists are looked for by them."""

# --- domains


@transaction.atomic
def create_domain(
    mail_host: str, *, description: str | None = None, alias_domain: str | None = None, base_url: str | None = None
) -> Domain:
    """A domain that lists can be made in; its name is kept in lower case.

    Raises:
        BadInput: the host is none, or exists already.
    """
    host = mail_host.strip().lower()
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise BadInput(f"Not a mail host such as lists.example.com: {mail_host}")
    known = find_domain(host)
    if known is not None:
        raise BadInput(f"Domain exists already: {known.mail_host}")
    domain = Domain(mail_host=host)
    _fill_domain(domain, description=description, alias_domain=alias_domain, base_url=base_url)
    domain.save(force_insert=True)
    return domain


@transaction.atomic
def change_domain(domain: Domain, **values: str | None) -> None:
    """Set any of `description`, `alias_domain` and `base_url`.

    Raises:
        BadInput: an alias that is no host.
    """
    _fill_domain(domain, **values)
    domain.save(update_fields=sorted(values))
    _tell_of_addresses()


def _fill_domain(domain: Domain, **values: str | None) -> None:
    for name, value in values.items():
        if name == "alias_domain":
            value = (value or "").strip().lower() or None
            if value is not None and not _HOST.fullmatch(value):
                raise BadInput(f"Not a mail host such as lists.example.com: {value}")
        if value is not None and "\0" in value:
            raise BadInput(f"{name} must not hold NUL")
        setattr(domain, name, value)


@transaction.atomic
def delete_domain(domain: Domain) -> None:
    """Delete a domain and all of its lists."""
    for mailing_list in lists_of_domain(domain):
        delete_list(mailing_list)
    _delete_rows(django_settings.ROWS_OF_A_DOMAIN, domain.mail_host)
    domain.delete()


# --- lists


@transaction.atomic
def create_list(fqdn_listname: str, style_name: str = DEFAULT_STYLE) -> MailingList:
    """A list with the values of its style; its address is kept in lower case.

    Raises:
        BadInput: the address is no list's or taken, its domain is unknown, or the style is.
    """
    address = fqdn_listname.strip().lower()
    if not is_valid_email(address):
        raise BadInput(f"Invalid list posting address: {fqdn_listname}")
    name, _, host = address.rpartition("@")
    usual = current().mail.listname_chars
    if not _ALLOWED_IN_LIST_NAME.fullmatch(name) or not re.fullmatch(f"(?:{usual})+", name, re.IGNORECASE):
        raise BadInput(f"Invalid list name: {name}. Allowed are the characters {usual}")
    domain = find_domain(host)
    if domain is None:
        raise BadInput(f"Domain does not exist: {host}. Make it first.")
    host = domain.mail_host
    if style_name not in STYLES:
        raise BadInput(f"Unknown style {style_name}. Accepted Values are: {', '.join(STYLES)}")
    list_id = f"{name}.{host}"
    if MailingList.objects.filter(list_id=list_id).exists():
        raise BadInput("Mailing list exists")
    made = MailingList(list_id=list_id, list_name=name, domain=domain, mail_host=host, style_name=style_name)
    _mirror(made)
    made.save(force_insert=True)
    _tell_of_addresses()
    return made


@transaction.atomic
def move_list(mailing_list: MailingList, list_id: str, list_name: str, domain: Domain) -> None:
    """Give a list another address and list-id; all that is its own goes with it."""
    former = mailing_list.list_id
    mailing_list.list_id, mailing_list.list_name = list_id, list_name
    mailing_list.domain, mailing_list.mail_host = domain, domain.mail_host
    mailing_list.save(update_fields=["list_id", "list_name", "domain", "mail_host"])
    for label, field in django_settings.ROWS_OF_A_LIST if list_id != former else ():
        model: type[Model] = apps.get_model(label)
        model._default_manager.filter(**{field: former}).update(**{field: list_id})
    _tell_of_addresses()


@transaction.atomic
def delete_list(mailing_list: MailingList) -> None:
    """Delete a list with its members, archive, requests, checks and everything else that is only its own."""
    for name in django_settings.BEFORE_A_LIST_GOES:
        import_string(name)(mailing_list)
    _delete_rows(django_settings.ROWS_OF_A_LIST, mailing_list.list_id)
    mailing_list.delete()
    _tell_of_addresses()


def _tell_of_addresses() -> None:
    """Once this transaction is done, call what keeps the addresses elsewhere too (`AFTER_LISTS_CHANGE`)."""
    waiting = {function for _, function, *_ in connection.run_on_commit}
    for name in django_settings.AFTER_LISTS_CHANGE:
        function = import_string(name)
        if function not in waiting:
            transaction.on_commit(function, robust=True)


def _delete_rows(places: tuple[tuple[str, str], ...], key: str) -> None:
    """Rows that name their list or domain in text, so that no foreign key takes them along."""
    for label, field in places:
        model: type[Model] = apps.get_model(label)
        model._default_manager.filter(**{field: key}).delete()


# --- settings


@transaction.atomic
def change_settings(mailing_list: MailingList, values: Mapping[str, Any]) -> None:
    """Set typed values (durations in seconds, passwords as hashes); what the style says anyway is not stored.

    Raises:
        BadInput: an unknown or read-only setting, or a value that is not allowed; nothing is changed then.
    """
    register = all_settings()
    accepted: dict[str, Any] = {}
    for name, value in values.items():
        setting = register.get(name)
        if setting is None:
            raise BadInput(f"Unknown attribute: {name}")
        if setting.read_only:
            raise BadInput(f"Read-only attribute: {name}")
        try:
            accepted[name] = bounded(checked(setting, value))
        except BadInput as error:
            raise BadInput(f'Invalid Parameter "{name}": {error}.') from None
    stored = dict(_locked(mailing_list).settings)
    for name, value in accepted.items():
        initial = register[name].initial(mailing_list)
        if value == (list(initial) if isinstance(initial, tuple) else initial):
            stored.pop(name, None)
        else:
            stored[name] = value
    mailing_list.settings = stored
    _mirror(mailing_list)
    mailing_list.save(update_fields=["settings", *_MIRRORED])


def _mirror(mailing_list: MailingList) -> None:
    for name in _MIRRORED:
        setattr(mailing_list, name, all_settings()[name].of(mailing_list))


def _locked(mailing_list: MailingList) -> MailingList:
    """The list as it stands now; nobody else changes it until this transaction ends.

    Raises:
        NotFound: it was deleted meanwhile.
    """
    try:
        return MailingList.objects.select_for_update().get(pk=mailing_list.pk)
    except MailingList.DoesNotExist:
        raise NotFound(f"Mailing list {mailing_list.list_id} does not exist any more.") from None


@transaction.atomic
def set_archivers(mailing_list: MailingList, enabled: Mapping[str, bool]) -> None:
    """Switch archivers on or off for this list.

    Raises:
        BadInput: there is no archiver of that name.
    """
    known = archivers.switches(mailing_list)
    for name, value in enabled.items():
        if name not in known:
            raise BadInput(f"Unknown archiver {name}. Accepted Values are: {', '.join(known)}")
        ListArchiver.objects.update_or_create(mailing_list=mailing_list, name=name, defaults={"is_enabled": value})


# --- header matches


@transaction.atomic
def add_header_match(
    mailing_list: MailingList, header: str, pattern: str, action: str | None = None, tag: str | None = None
) -> HeaderMatch:
    """Add a check of a header as the last one; no action means the site's default.

    Raises:
        BadInput: the name, pattern or action is none, or the list has this check already.
    """
    _locked(mailing_list)
    match = HeaderMatch(mailing_list=mailing_list, position=mailing_list.header_matches.count(), tag=tag or None)
    _fill_header_match(match, header=header, pattern=pattern, action=action)
    match.save(force_insert=True)
    return match


@transaction.atomic
def change_header_match(match: HeaderMatch, **values: Any) -> None:
    """Set any of `header`, `pattern`, `action`, `tag` and `position`; the others move to make room.

    Raises:
        BadInput: as for a new one, or a position outside the list.
    """
    _locked(match.mailing_list)
    match.refresh_from_db(fields=["position"])
    position = values.pop("position", None)
    if position is not None:
        _move(match, position)
    if "tag" in values:
        match.tag = values.pop("tag") or None
    _fill_header_match(match, **values)
    match.save()


def _fill_header_match(match: HeaderMatch, **values: Any) -> None:
    if "header" in values:
        match.header = str(values["header"]).strip().lower()
        if not _HEADER_NAME.fullmatch(match.header) or len(match.header) > 255:
            raise BadInput(f"Not the name of a header: {values['header']}")
    if "pattern" in values:
        compile_pattern(values["pattern"])
        match.pattern = values["pattern"]
    if "action" in values:
        match.action = values["action"] or None
        if match.action is not None and match.action not in _ACTIONS:
            raise BadInput(f"Accepted Values are: {', '.join(_ACTIONS)}")
    same = match.mailing_list.header_matches.filter(header=match.header, pattern=match.pattern)
    if same.exclude(pk=match.pk).exists():
        raise BadInput(f"Header match exists already: {match.header}: {match.pattern}")


def _move(match: HeaderMatch, position: int) -> None:
    others = match.mailing_list.header_matches.exclude(pk=match.pk)
    if not 0 <= position <= others.count():
        raise BadInput(f"Position {position} is outside of 0 to {others.count()}")
    others.filter(position__gt=match.position).update(position=F("position") - 1)
    others.filter(position__gte=position).update(position=F("position") + 1)
    match.position = position


@transaction.atomic
def remove_header_match(match: HeaderMatch) -> None:
    """Remove a check; those after it move up."""
    _locked(match.mailing_list)
    match.refresh_from_db(fields=["position"])
    following = match.mailing_list.header_matches.filter(position__gt=match.position)
    match.delete()
    following.update(position=F("position") - 1)


@transaction.atomic
def clear_header_matches(mailing_list: MailingList) -> None:
    """Remove all of a list's header checks."""
    mailing_list.header_matches.all().delete()


# --- counters


def count_post(mailing_list: MailingList) -> int:
    """Give the next number to a post and note that it was posted now; each number is given once."""
    number = _take(mailing_list, "post_id", last_post_at=timezone.now())
    mailing_list.post_id = number + 1
    return number


def take_request_id(mailing_list: MailingList) -> int:
    """The number of the list's next held post; each is given once."""
    return _take(mailing_list, "next_request_id")


def _take(mailing_list: MailingList, column: str, **beside: datetime) -> int:
    """Count one up, writing what stands beside it in the same statement; the number that was there."""
    also = "".join(f", {name}=%s" for name in beside)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE lists_list SET {column}={column}+1{also} WHERE id=%s RETURNING {column}-1",  # noqa: S608 — our names
            (*beside.values(), mailing_list.pk),
        )
        row = cursor.fetchone()
    for name, value in beside.items():
        setattr(mailing_list, name, value)
    if row is None:
        raise NotFound(f"Mailing list {mailing_list.list_id} does not exist any more.")
    return int(row[0])


def set_digest_count(mailing_list: MailingList, *, volume: int, number: int, sent_at: datetime | None = None) -> None:
    """Note which digest comes next and, if one was just sent, when."""
    mailing_list.volume, mailing_list.next_digest_number = volume, number
    mailing_list.digest_last_sent_at = sent_at or mailing_list.digest_last_sent_at
    mailing_list.save(update_fields=["volume", "next_digest_number", "digest_last_sent_at"])


def set_usenet_watermark(mailing_list: MailingList, number: int | None) -> None:
    """Note the last article fetched from the newsgroup."""
    mailing_list.usenet_watermark = number
    mailing_list.save(update_fields=["usenet_watermark"])
