"""Users, addresses and preferences as REST shows them."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from postroad.community.people.models import PREFERENCE_NAMES, Address, Preferences, User
from postroad.foundation.rest import body
from postroad.foundation.rest.resource import Json, link, uuid_out, without_nulls

PREFERENCE_CONVERTERS: Mapping[str, body.Converter] = {
    "acknowledge_posts": body.boolean,
    "delivery_mode": body.choice(*Preferences.DeliveryMode.values),
    "delivery_status": body.choice(*Preferences.DeliveryStatus.values),
    "hide_address": body.boolean,
    "preferred_language": body.text,
    "receive_list_copy": body.boolean,
    "receive_own_postings": body.boolean,
}


def user_resource(request: HttpRequest, user: User) -> Json:
    """A user as clients see it; `password` is a hash, as with Mailman."""
    identifier = uuid_out(request, user.uuid)
    resource: Json = {
        "created_on": user.created_on,
        "is_server_owner": user.is_superuser,
        "self_link": link(request, f"users/{identifier}"),
        "user_id": identifier,
    }
    if user.has_usable_password():
        resource["password"] = user.password
    if user.display_name:
        resource["display_name"] = user.display_name
    return resource


def address_resource(request: HttpRequest, address: Address) -> Json:
    """An address as clients see it."""
    resource: dict[str, Any] = {
        "email": address.email,
        "original_email": address.original_email,
        "registered_on": address.registered_on,
        "self_link": link(request, f"addresses/{address.email}"),
        "display_name": address.display_name or None,
        "verified_on": address.verified_on,
    }
    if address.user is not None:
        resource["user"] = link(request, f"users/{uuid_out(request, address.user.uuid)}")
    return without_nulls(resource)


def preferences_resource(holder: Preferences) -> Json:
    """The preferences that are set at this level."""
    return without_nulls({name: getattr(holder, name) for name in PREFERENCE_NAMES})
