"""One method of a resource, declared: what it takes, what it gives, and what must be allowed to the caller."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from django.http import HttpResponse

from postroad.foundation.rest.fields import Field, integer
from postroad.foundation.rest.shapes import Schema, Shape

Right = Literal["read", "moderate", "manage", "site"]
"""What a credential may do, each including the ones before it."""

PAGE: Mapping[str, Field] = {
    "count": Field(integer.convert, {"type": "integer", "minimum": 0, "maximum": 100_000}),
    "page": Field(integer.convert, {"type": "integer", "minimum": 1, "maximum": 100_000}),
}
"""Both together cut a collection into pages."""

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Operation:
    """What answers one method. With `takes_values` the view gets the checked fields as second argument."""

    view: View
    required: Mapping[str, Field] = field(default_factory=dict)
    optional: Mapping[str, Field] = field(default_factory=dict)
    takes_values: bool = False
    status: int = 200
    gives: Shape | None = None
    other: Mapping[int, str | Shape] = field(default_factory=dict)
    """Further statuses it answers with, beside those every call may get: when, or what is given then."""
    unknown: str = "Unexpected parameters"
    """What fields are called that it does not take."""
    asks: bool = False
    """It only reads, though its method is POST: no transaction, so that nobody waits for it."""
    body: Callable[[], Schema] | None = None
    """What a view that reads its own fields takes, when they depend on the resource."""

    @property
    def summary(self) -> str:
        """What it does, in the words of the view's docstring."""
        return (self.view.__doc__ or self.view.__name__.strip("_").replace("_", " ")).strip()


def shows(view: View, gives: Shape, *, paged: bool = False, optional: Mapping[str, Field] | None = None) -> Operation:
    """A resource is shown; query parameters that are not fields are left alone, as Mailman does."""
    return Operation(view, optional={**(PAGE if paged else {}), **(optional or {})}, gives=gives)


def takes(
    view: View,
    required: Mapping[str, Field] | None = None,
    optional: Mapping[str, Field] | None = None,
    *,
    status: int = 204,
    gives: Shape | None = None,
    other: Mapping[int, str | Shape] | None = None,
) -> Operation:
    """Fields are taken: unknown, wrong and missing ones are refused before the view is called."""
    return Operation(view, required or {}, optional or {}, True, status, gives, other or {})


def asks(
    view: View,
    required: Mapping[str, Field] | None,
    optional: Mapping[str, Field] | None,
    gives: Shape,
    *,
    other: Mapping[int, str | Shape] | None = None,
) -> Operation:
    """Fields are taken and something is shown; nothing is changed, by whichever method."""
    return Operation(view, required or {}, optional or {}, True, 200, gives, other or {}, asks=True)


def reads(view: View, body: Callable[[], Schema]) -> Operation:
    """The view reads the fields itself, since they depend on what is there."""
    return Operation(view, status=204, body=body)


def changes(
    view: View,
    fields: Mapping[str, Field],
    also: Mapping[str, Field] | None = None,
    *,
    unknown: str = "Unexpected parameters",
) -> dict[str, Operation]:
    """PUT needs every field (those of `also` may be left out), PATCH any of them; the same view writes them."""
    some = takes(view, None, {**fields, **(also or {})})
    return {"put": takes(view, fields, also), "patch": replace(some, unknown=unknown)}
