"""The verbs of templates that are kept behind URIs, as clients of REST set them: for the site, a domain or a list."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet

from postroad.community.notices.fetching import order, uri_of
from postroad.community.notices.models import TemplateUri
from postroad.community.notices.templates import NAMES
from postroad.foundation.errors import BadInput

LONGEST_URI = 2000


def names_of(context: str) -> tuple[str, ...]:
    """The templates a scope may set: the site ("") and a domain all of them, a list those of lists.

    A list-id cannot be told from a mail host by its look, so callers say which it is by `list:` before it.
    """
    return tuple(name for name in NAMES if not context.startswith("list:") or name.startswith("list:"))


def uris_of(context: str) -> "QuerySet[TemplateUri]":
    """What a scope has set, by name."""
    return TemplateUri.objects.filter(context=_stored(context)).order_by("name")


@transaction.atomic
def set_uris(context: str, uris: Mapping[str, str], username: str | None = None, password: str | None = None) -> None:
    """Let templates of a scope be fetched from these URIs, with this credential; an empty URI ends it.

    Raises:
        BadInput: an unknown template, only half a credential, or a URI that is too long.
    """
    if (username is None) != (password is None):
        raise BadInput("username and password are given together or not at all.")
    for name, uri in uris.items():
        if name not in names_of(context):
            raise BadInput(f"Unknown template {name}. Allowed are {', '.join(names_of(context))}")
        if len(uri) > LONGEST_URI:
            raise BadInput(f"A URI of {len(uri)} characters; allowed are {LONGEST_URI}.")
        if not uri:
            forget_uris(context, name)
            continue
        row, _ = TemplateUri.objects.update_or_create(
            context=_stored(context), name=name, defaults={"uri": uri, "username": username, "password": password}
        )
        if "$" not in uri and uri_of(row, {}):
            order(row, uri, anew=True)


@transaction.atomic
def forget_uris(context: str, name: str | None = None) -> None:
    """Let one template of a scope, or all, be again what the wider scope says."""
    rows = uris_of(context)
    (rows if name is None else rows.filter(name=name)).delete()


def _stored(context: str) -> str:
    return context.removeprefix("list:")
