"""The settings of lists as one document that can be kept, compared, edited and applied again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction

from postroad.community.lists import actions
from postroad.community.lists.models import MailingList
from postroad.community.lists.queries import find_list
from postroad.community.lists.register import Setting, writable
from postroad.community.lists.values import from_wire, to_wire
from postroad.foundation.errors import BadInput, NotFound


class Change(NamedTuple):
    """One setting of one list that differs."""

    mailing_list: MailingList
    setting: Setting[Any]
    before: Any
    after: Any


def document(lists: Sequence[MailingList]) -> dict[str, dict[str, Any]]:
    """List-id → setting → value as REST writes it; passwords stay here."""
    shown = {name: setting for name, setting in writable().items() if setting.kind != "password"}
    return {row.list_id: {key: to_wire(s, s.of(row)) for key, s in shown.items()} for row in lists}


def changes(wanted: object) -> Iterator[Change]:
    """What a document would change.

    Raises:
        BadInput: it is none, or names an unknown setting or a value that is not allowed.
        NotFound: it names a list that is not here.
    """
    if not isinstance(wanted, Mapping):
        raise BadInput("the document is an object: list-id → setting → value")
    for list_id, values in wanted.items():
        found = find_list(str(list_id))
        if found is None:
            raise NotFound(f"There is no list {list_id}; `postroad list add` makes one.")
        if not isinstance(values, Mapping):
            raise BadInput(f"{list_id}: its settings are an object: setting → value")
        for name, value in values.items():
            setting = writable().get(name)
            if setting is None:
                raise BadInput(f"{list_id}: {name} is no setting that can be changed")
            try:
                after = from_wire(setting, value) if value is not None else None
            except (BadInput, ValueError) as error:
                raise BadInput(f"{list_id}: {name}: {error}") from None
            if to_wire(setting, setting.of(found)) != to_wire(setting, after):
                yield Change(found, setting, setting.of(found), after)


@transaction.atomic
def apply(planned: Sequence[Change]) -> None:
    """Make the changes, all or none.

    Raises:
        BadInput: a value is not allowed.
    """
    by_list: dict[int, list[Change]] = {}
    for change in planned:
        by_list.setdefault(change.mailing_list.pk, []).append(change)
    for some in by_list.values():
        actions.change_settings(some[0].mailing_list, {change.setting.name: change.after for change in some})
