"""The verbs of importers: a list as it was elsewhere, whatever of it can be here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from postroad.community.lists.actions import change_settings, create_domain, delete_list, move_list
from postroad.community.lists.models import Domain, HeaderMatch, ListArchiver, MailingList
from postroad.community.lists.queries import find_domain
from postroad.community.lists.register import writable
from postroad.community.lists.values import checked
from postroad.foundation.errors import BadInput
from postroad.foundation.message.addresses import is_valid_email
from postroad.foundation.patterns import compile_pattern


@dataclass(frozen=True, slots=True)
class ListRecord:
    """A list as another system knew it; `values` are settings by the names of the register, typed as they are there."""

    list_id: str
    list_name: str
    mail_host: str
    created_at: datetime
    values: Mapping[str, Any] = field(default_factory=dict)
    archivers: Mapping[str, bool] = field(default_factory=dict)


OWN_COPIES = "each reader gets a copy of their own, with a one-click unsubscribe link; none sends one for many"
"""Why `personalize`, which is `none` on nearly every list of Mailman, becomes `individual` (ADR 6)."""

Refused = list[tuple[str, str]]
"""Settings, or values of one, that cannot be here: name and reason."""


@transaction.atomic
def bring_list(record: ListRecord, known: int | None = None) -> tuple[MailingList, Refused]:
    """Make this list, or make the one with its list-id like it; and what of its settings cannot be here.

    Without one of that list-id it is the list it was before (`known`, the key of its row), which was moved there.

    Raises:
        BadInput: the address is no list's.
    """
    address = f"{record.list_name}@{record.mail_host}"
    if not is_valid_email(address) or address != address.lower():
        raise BadInput(f"Invalid list posting address: {address}")
    domain = find_domain(record.mail_host) or create_domain(record.mail_host)
    made = MailingList.objects.filter(list_id=record.list_id).first()
    made = made or MailingList.objects.filter(pk=known or 0).first()
    if made is None:
        made = MailingList(
            list_id=record.list_id, list_name=record.list_name, domain=domain, mail_host=record.mail_host
        )
    elif (made.list_id, made.list_name, made.mail_host) != (record.list_id, record.list_name, record.mail_host):
        move_list(made, record.list_id, record.list_name, domain)
    made.created_at = record.created_at
    made.save()
    accepted, refused = _possible(record.values)
    change_settings(made, accepted)
    for name, enabled in record.archivers.items():
        ListArchiver.objects.update_or_create(mailing_list=made, name=name, defaults={"is_enabled": enabled})
    return made, refused


def bring_counters(key: int, counters: Mapping[str, Any]) -> None:
    """Let a list count on from where it stood elsewhere.

    `post_id`, `volume`, `next_digest_number`, `last_post_at`, `digest_last_sent_at`, `usenet_watermark`.
    """
    MailingList.objects.filter(pk=key).update(**counters)


def _possible(values: Mapping[str, Any]) -> tuple[dict[str, Any], Refused]:
    """The settings that are allowed here; of those with many values, the values that are."""
    accepted: dict[str, Any] = {}
    refused: Refused = []
    register = writable()
    for name, value in values.items():
        setting = register[name]
        try:
            accepted[name] = checked(setting, value)
            continue
        except BadInput as error:
            reason = str(error)
        if not isinstance(value, list | tuple):
            refused.append((name, reason))
            continue
        kept = []
        for one in value:
            try:
                kept += checked(setting, [one])
            except BadInput as error:
                refused.append((name, str(error)))
        accepted[name] = checked(setting, kept)
    return accepted, refused


@dataclass(frozen=True, slots=True)
class Check:
    """One of a list's header checks."""

    header: str
    pattern: str
    action: str | None
    tag: str | None = None


@transaction.atomic
def bring_header_matches(mailing_list: MailingList, checks: Sequence[Check]) -> Refused:
    """Let a list have exactly these header checks, in this order; and those whose pattern matches nothing here."""
    mailing_list.header_matches.all().delete()
    HeaderMatch.objects.bulk_create(
        HeaderMatch(
            mailing_list=mailing_list, position=position, header=check.header.lower()[:255], pattern=check.pattern,
            action=check.action, tag=check.tag,
        )
        for position, check in enumerate(checks)
    )  # fmt: skip
    refused: Refused = []
    for check in checks:
        try:
            compile_pattern(check.pattern)
        except BadInput as error:
            refused.append((f"{check.header}: {check.pattern}", str(error)))
    return refused


def remove_header_matches(keys: Sequence[int]) -> None:
    """Take away all header checks of lists."""
    HeaderMatch.objects.filter(mailing_list__in=keys).delete()


@transaction.atomic
def bring_domain(
    mail_host: str, *, description: str | None, alias_domain: str | None, base_url: str | None, owners: Iterable[int]
) -> Domain:
    """Make this domain, or make the one that is here like it; owners are keys of users.

    Raises:
        BadInput: the host is none.
    """
    domain = find_domain(mail_host) or create_domain(mail_host)
    domain.description, domain.alias_domain, domain.base_url = description, alias_domain or None, base_url or None
    domain.save()
    domain.owners.set(list(owners))
    return domain


def remove_lists(keys: Sequence[int]) -> None:
    """Take away lists with everything that is only theirs."""
    for mailing_list in MailingList.objects.filter(pk__in=keys):
        delete_list(mailing_list)


def remove_domains(keys: Sequence[int]) -> None:
    """Take away domains that have no lists."""
    Domain.objects.filter(pk__in=keys, lists__isnull=True).delete()


def number_requests_beyond(mailing_list: MailingList, number: int) -> None:
    """Give the list's next held post a number above this one."""
    MailingList.objects.filter(pk=mailing_list.pk, next_request_id__lte=number).update(next_request_id=number + 1)
