"""Users, addresses and preferences as REST shows them, and the one resource of preferences that all levels share."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse

from postroad.community.people import actions
from postroad.community.people.models import PREFERENCE_NAMES, Address, Preferences, User
from postroad.foundation.languages import LANGUAGES
from postroad.foundation.rest import fields
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import Concerns, Endpoint, endpoint, list_in_path
from postroad.foundation.rest.operation import changes, shows, takes
from postroad.foundation.rest.resource import Json, done, link, moment, ok, uuid_out, without_label, without_nulls
from postroad.foundation.rest.shapes import IDENTIFIER, LINK, MOMENT, TEXT, TRUTH, shape

USER = shape(
    "User", may_lack="password display_name", created_on=MOMENT, is_server_owner=TRUTH, self_link=LINK,
    user_id=IDENTIFIER, password=TEXT, display_name=TEXT,
)  # fmt: skip
ADDRESS = shape(
    "Address", may_lack="display_name verified_on user", email=TEXT, original_email=TEXT, registered_on=MOMENT,
    self_link=LINK, display_name=TEXT, verified_on=MOMENT, user=LINK,
)  # fmt: skip
PREFERENCES = shape(
    "Preferences", may_lack=" ".join(PREFERENCE_NAMES), acknowledge_posts=TRUTH, hide_address=TRUTH,
    delivery_mode=TEXT, delivery_status=TEXT, preferred_language=TEXT, receive_list_copy=TRUTH,
    receive_own_postings=TRUTH, self_link=LINK,
)  # fmt: skip
PREFERENCE_FIELDS: Mapping[str, fields.Field] = {
    "acknowledge_posts": fields.boolean,
    "delivery_mode": fields.choice(*Preferences.DeliveryMode.values),
    "delivery_status": fields.choice(*Preferences.DeliveryStatus.values),
    "hide_address": fields.boolean,
    "preferred_language": fields.choice(*LANGUAGES),
    "receive_list_copy": fields.boolean,
    "receive_own_postings": fields.boolean,
}


def user_resource(request: HttpRequest, user: User) -> Json:
    """A user as clients see it; `password` is a hash, as with Mailman."""
    identifier = uuid_out(request, user.uuid)
    resource: Json = {
        "created_on": moment(user.created_on),
        "is_server_owner": user.is_superuser,
        "self_link": link(request, f"users/{identifier}"),
        "user_id": identifier,
    }
    if user.has_usable_password():
        resource["password"] = without_label(user.password)
    if user.display_name:
        resource["display_name"] = user.display_name
    return resource


def address_resource(request: HttpRequest, address: Address) -> Json:
    """An address as clients see it."""
    resource: dict[str, Any] = {
        "email": address.shown,
        "original_email": address.original_email,
        "registered_on": moment(address.registered_on),
        "self_link": link(request, f"addresses/{address.shown}"),
        "display_name": address.display_name or None,
        "verified_on": address.verified_on and moment(address.verified_on),
    }
    if address.user is not None:
        resource["user"] = link(request, f"users/{uuid_out(request, address.user.uuid)}")
    return without_nulls(resource)


def preferences_endpoint(path: str, find: Callable[..., Preferences], concerns: Concerns = list_in_path) -> Endpoint:
    """The preferences that are set at one level; `path` is filled from the address, `find` finds who they are of."""

    def show(request: HttpRequest, **key: str) -> HttpResponse:
        """The preferences that are set at this level."""
        holder = find(request, **key)
        values = without_nulls({name: getattr(holder, name) for name in PREFERENCE_NAMES})
        return ok({**values, "self_link": link(request, path.format(**key))})

    def write(request: HttpRequest, values: Values, **key: str) -> HttpResponse:
        """Set preferences at this level; PUT names all of them."""
        actions.set_preferences(find(request, **key), values)
        return done()

    def clear(request: HttpRequest, values: Values, **key: str) -> HttpResponse:
        """Ask the next level about everything again."""
        actions.set_preferences(find(request, **key), dict.fromkeys(PREFERENCE_NAMES))
        return done()

    return endpoint(
        changes(write, PREFERENCE_FIELDS), concerns=concerns, get=shows(show, PREFERENCES), delete=takes(clear)
    )
