"""For migrations: columns that held addresses in lower case are changed to hold their identity (ADR 12)."""

from typing import Any

from django.db import IntegrityError, transaction

from postroad.foundation.message.addresses import identity

MAY_DIFFER = r"[^\x01-\x7f]"
"""A regular expression of both engines: addresses in lower case that may not be their own identity."""


def respell(model: Any, column: str, *, drop_twins: bool = False) -> None:
    """Change each address of a column to its identity.

    Where another row has that already and there can be only one, the row stays as it is, or goes with `drop_twins`.
    """
    rows = model.objects.filter(**{f"{column}__regex": MAY_DIFFER}).order_by("pk")
    for pk, email in list(rows.values_list("pk", column)):
        if identity(email) == email or email.startswith("^"):
            continue
        row = model.objects.filter(pk=pk)
        try:
            with transaction.atomic():
                row.update(**{column: identity(email)})
        except IntegrityError:
            if drop_twins:
                row.delete()


def respell_copies(model: Any, column: str, addresses: Any) -> None:
    """Let a column that repeats addresses follow them: `addresses` is their model, which was respelled before."""
    rows = model.objects.filter(**{f"{column}__regex": MAY_DIFFER}).order_by("pk")
    for pk, email in list(rows.values_list("pk", column)):
        if identity(email) != email and not addresses.objects.filter(email=email).exists():
            model.objects.filter(pk=pk).update(**{column: identity(email)})
