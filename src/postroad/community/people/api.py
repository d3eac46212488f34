"""REST 3.1 of users, addresses and their preferences."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from postroad.community.people import actions, queries
from postroad.community.people.models import Address, Preferences, User
from postroad.community.people.resource import (
    PREFERENCE_CONVERTERS,
    address_resource,
    preferences_resource,
    user_resource,
)
from postroad.foundation.errors import BadInput, Conflict, NotAllowed, NotFound
from postroad.foundation.rest import body
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.resource import created, done, failure, link, ok, paged, uuid_in, uuid_out

_USER_FIELDS: dict[str, body.Converter] = {
    "display_name": body.text,
    "password": body.text,
    "is_server_owner": body.boolean,
}


def find_user(request: HttpRequest, identifier: str) -> User:
    """The user of this UUID or any of the user's addresses.

    Raises:
        NotFound: there is none.
    """
    key = identifier if "@" in identifier else uuid_in(request, identifier)
    found = queries.find_user(key) if key else None
    if found is None:
        raise NotFound("404 Not Found")
    return found


def find_address(email: str) -> Address:
    """The address.

    Raises:
        NotFound: nobody ever used it here.
    """
    found = queries.find_address(email)
    if found is None:
        raise NotFound("404 Not Found")
    return found


def _place(request: HttpRequest, user: User) -> HttpResponse:
    return created(request, f"users/{uuid_out(request, user.uuid)}")


def _show_users(request: HttpRequest) -> HttpResponse:
    return paged(request, User.objects.order_by("pk"), lambda user: user_resource(request, user))


def _show_owners(request: HttpRequest) -> HttpResponse:
    owners = User.objects.filter(is_superuser=True).order_by("pk")
    return paged(request, owners, lambda user: user_resource(request, user))


def _find_users(request: HttpRequest) -> HttpResponse:
    values = body.read(request, {"q": body.text}, {"count": body.integer, "page": body.integer})
    return paged(request, queries.search(values["q"]), lambda user: user_resource(request, user))


def _make_user(request: HttpRequest) -> HttpResponse:
    values = body.read(request, {"email": body.email}, _USER_FIELDS)
    return _place(request, actions.create_user(values.pop("email"), **values))


def _show_user(request: HttpRequest, identifier: str) -> HttpResponse:
    return ok(user_resource(request, find_user(request, identifier)))


def _change_user(request: HttpRequest, identifier: str) -> HttpResponse:
    user = find_user(request, identifier)
    fields: dict[str, body.Converter] = {
        "cleartext_password": body.text, "display_name": body.text, "is_server_owner": body.boolean,
    }  # fmt: skip
    whole = request.method == "PUT"
    actions.change_user(user, **body.read(request, fields if whole else {}, {} if whole else fields))
    return done()


def _delete_user(request: HttpRequest, identifier: str) -> HttpResponse:
    actions.delete_user(find_user(request, identifier))
    return done()


def _show_user_addresses(request: HttpRequest, identifier: str) -> HttpResponse:
    rows = find_user(request, identifier).addresses.select_related("user").order_by("original_email")
    return paged(request, rows, lambda address: address_resource(request, address))


def _add_user_address(request: HttpRequest, identifier: str) -> HttpResponse:
    user = find_user(request, identifier)
    optional: dict[str, Callable[[Any], Any]] = {"display_name": body.text, "absorb_existing": bool}
    values = body.read(request, {"email": body.email}, optional)
    address = actions.add_address(user, values.pop("email"), **values)
    return created(request, f"addresses/{address.email}")


def _show_preferred(request: HttpRequest, identifier: str) -> HttpResponse:
    address = find_user(request, identifier).preferred_address
    if address is None:
        raise NotFound("404 Not Found")
    return ok(address_resource(request, address))


def _set_preferred(request: HttpRequest, identifier: str) -> HttpResponse:
    user = find_user(request, identifier)
    email = body.read(request, {"email": body.email})["email"]
    actions.set_preferred_address(user, email)
    return created(request, f"users/{identifier}/preferred_address")


def _clear_preferred(request: HttpRequest, identifier: str) -> HttpResponse:
    user = find_user(request, identifier)
    if user.preferred_address is None:
        raise NotFound("404 Not Found")
    actions.clear_preferred_address(user)
    return done()


def _log_in(request: HttpRequest, identifier: str) -> HttpResponse:
    user = find_user(request, identifier)
    password = body.read(request, {"cleartext_password": body.text})["cleartext_password"]
    if not user.check_password(password):
        raise NotAllowed("403 Forbidden")
    return done()


# --- addresses


def _show_addresses(request: HttpRequest) -> HttpResponse:
    rows = Address.objects.select_related("user").order_by("original_email")
    return paged(request, rows, lambda address: address_resource(request, address))


def _show_address(request: HttpRequest, email: str) -> HttpResponse:
    return ok(address_resource(request, find_address(email)))


def _change_address(request: HttpRequest, email: str) -> HttpResponse:
    address = find_address(email)
    address.display_name = body.read(request, {"display_name": body.text})["display_name"]
    address.save(update_fields=["display_name"])
    return done()


def _delete_address(request: HttpRequest, email: str) -> HttpResponse:
    actions.delete_address(find_address(email))
    return done()


def _verify(request: HttpRequest, email: str) -> HttpResponse:
    actions.verify(find_address(email))
    return done()


def _unverify(request: HttpRequest, email: str) -> HttpResponse:
    actions.unverify(find_address(email))
    return done()


def _show_address_user(request: HttpRequest, email: str) -> HttpResponse:
    user = find_address(email).user
    if user is None:
        raise NotFound("404 Not Found")
    return ok(user_resource(request, user))


def _link_address(request: HttpRequest, email: str) -> HttpResponse:
    address = find_address(email)
    if request.method == "POST" and address.user is not None:
        raise Conflict("409 Conflict")
    optional = {**_USER_FIELDS, "user_id": body.text, "auto_create": body.boolean}
    values = body.read(request, {}, optional)
    if "user_id" in values:
        return _link_to(request, address, values["user_id"])
    if not values.pop("auto_create", True):
        return failure(403, "403 Forbidden")
    actions.unlink(address)
    return _place(request, actions.create_user(address.email, **values))


def _link_to(request: HttpRequest, address: Address, user_id: str) -> HttpResponse:
    try:
        user = find_user(request, user_id)
    except NotFound:
        if request.method == "PUT":
            raise
        raise BadInput(f"No user with ID {user_id}") from None
    actions.unlink(address)
    actions.link_address(user, address)
    return HttpResponse(status=200)


def _unlink_address(request: HttpRequest, email: str) -> HttpResponse:
    address = find_address(email)
    if address.user is None:
        raise NotFound("404 Not Found")
    actions.unlink(address)
    return done()


# --- preferences


def _holder(request: HttpRequest, **key: str) -> tuple[Preferences, str]:
    if "email" in key:
        return find_address(key["email"]), f"addresses/{key['email']}/preferences"
    return find_user(request, key["identifier"]), f"users/{key['identifier']}/preferences"


def _show_preferences(request: HttpRequest, **key: str) -> HttpResponse:
    holder, path = _holder(request, **key)
    return ok({**preferences_resource(holder), "self_link": link(request, path)})


def _write_preferences(request: HttpRequest, **key: str) -> HttpResponse:
    holder, _ = _holder(request, **key)
    whole = request.method == "PUT"
    values: dict[str, Any] = body.read(
        request, PREFERENCE_CONVERTERS if whole else {}, {} if whole else PREFERENCE_CONVERTERS
    )
    actions.set_preferences(holder, values)
    return done()


def _clear_preferences(request: HttpRequest, **key: str) -> HttpResponse:
    holder, _ = _holder(request, **key)
    actions.set_preferences(holder, dict.fromkeys(PREFERENCE_CONVERTERS))
    return done()


users = endpoint(get=_show_users, post=_make_user)
users_find = endpoint(get=_find_users)
owners = endpoint(get=_show_owners)
user = endpoint(get=_show_user, put=_change_user, patch=_change_user, delete=_delete_user)
user_addresses = endpoint(get=_show_user_addresses, post=_add_user_address)
user_preferred = endpoint(get=_show_preferred, post=_set_preferred, delete=_clear_preferred)
user_login = endpoint(post=_log_in)
addresses = endpoint(get=_show_addresses)
address = endpoint(get=_show_address, patch=_change_address, delete=_delete_address)
address_verify = endpoint(post=_verify)
address_unverify = endpoint(post=_unverify)
address_user = endpoint(get=_show_address_user, post=_link_address, put=_link_address, delete=_unlink_address)
preferences = endpoint(
    get=_show_preferences, put=_write_preferences, patch=_write_preferences, delete=_clear_preferences
)
