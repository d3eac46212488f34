"""REST of users, addresses and their preferences (facts: /users, /addresses, /owners)."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from postroad.community.people import actions, queries
from postroad.community.people.models import Address, Preferences, User
from postroad.community.people.resource import ADDRESS, USER, address_resource, preferences_endpoint, user_resource
from postroad.foundation.errors import BadInput, Conflict, NotAllowed, NotFound
from postroad.foundation.rest import fields
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.operation import PAGE, Operation, changes, shows, takes
from postroad.foundation.rest.resource import created, done, found, nothing, ok, paged, uuid_in, uuid_out
from postroad.foundation.rest.shapes import many

_NEW_USER = {"display_name": fields.line, "password": fields.line, "is_server_owner": fields.boolean}
_CHANGED_USER = {"cleartext_password": fields.line, "display_name": fields.line, "is_server_owner": fields.boolean}


def find_user(request: HttpRequest, identifier: str) -> User:
    """The user of this UUID or any of the user's addresses.

    Raises:
        NotFound: there is none.
    """
    key = identifier if "@" in identifier else uuid_in(request, identifier)
    return found(queries.find_user(key) if key else None)


def find_address(email: str) -> Address:
    """The address.

    Raises:
        NotFound: nobody ever used it here.
    """
    return found(queries.find_address(email))


def _place(request: HttpRequest, user: User) -> HttpResponse:
    return created(request, f"users/{uuid_out(request, user.uuid)}")


def _users(request: HttpRequest, rows: "QuerySet[User]") -> HttpResponse:
    return paged(request, rows.order_by("pk"), lambda user: user_resource(request, user))


def _show_users(request: HttpRequest) -> HttpResponse:
    """Every user."""
    return _users(request, User.objects.all())


def _show_owners(request: HttpRequest) -> HttpResponse:
    """The users who own the server."""
    return _users(request, User.objects.filter(is_superuser=True))


def _find_users(request: HttpRequest, values: Values) -> HttpResponse:
    """Users with a text in their name or one of their addresses."""
    return _users(request, queries.search(values["q"]))


def _make_user(request: HttpRequest, values: Values) -> HttpResponse:
    """Make a user with one address."""
    return _place(request, actions.create_user(values.pop("email"), **values))


def _show_user(request: HttpRequest, identifier: str) -> HttpResponse:
    """One user, by identifier or any address."""
    return ok(user_resource(request, find_user(request, identifier)))


def _change_user(request: HttpRequest, values: Values, identifier: str) -> HttpResponse:
    """Change a user's name, password or ownership of the server."""
    actions.change_user(find_user(request, identifier), **values)
    return done()


def _delete_user(request: HttpRequest, values: Values, identifier: str) -> HttpResponse:
    """Delete a user with addresses and memberships."""
    actions.delete_user(find_user(request, identifier))
    return done()


def _addresses(request: HttpRequest, rows: "QuerySet[Address]") -> HttpResponse:
    ordered = rows.select_related("user").order_by("original_email")
    return paged(request, ordered, lambda address: address_resource(request, address), rows.count)


def _show_user_addresses(request: HttpRequest, identifier: str) -> HttpResponse:
    """A user's addresses."""
    return _addresses(request, find_user(request, identifier).addresses.all())


def _add_user_address(request: HttpRequest, values: Values, identifier: str) -> HttpResponse:
    """Give a user another address; with `absorb_existing` the user who has it is merged into this one."""
    address = actions.add_address(find_user(request, identifier), values.pop("email"), **values)
    return created(request, f"addresses/{address.email}")


def _show_preferred(request: HttpRequest, identifier: str) -> HttpResponse:
    """The address mail for a user goes to."""
    return ok(address_resource(request, found(find_user(request, identifier).preferred_address)))


def _set_preferred(request: HttpRequest, values: Values, identifier: str) -> HttpResponse:
    """Choose the address mail for a user goes to."""
    actions.set_preferred_address(find_user(request, identifier), values["email"])
    return created(request, f"addresses/{find_address(values['email']).email}")


def _clear_preferred(request: HttpRequest, values: Values, identifier: str) -> HttpResponse:
    """Let a user have no preferred address."""
    user = find_user(request, identifier)
    found(user.preferred_address)
    actions.clear_preferred_address(user)
    return done()


def _log_in(request: HttpRequest, values: Values, identifier: str) -> HttpResponse:
    """Tell whether a password is the user's; an outdated hash is made anew."""
    if not find_user(request, identifier).check_password(values["cleartext_password"]):
        raise NotAllowed("403 Forbidden")
    return done()


def _show_addresses(request: HttpRequest) -> HttpResponse:
    """Every address."""
    return _addresses(request, Address.objects.all())


def _show_address(request: HttpRequest, email: str) -> HttpResponse:
    """One address."""
    return ok(address_resource(request, find_address(email)))


def _change_address(request: HttpRequest, values: Values, email: str) -> HttpResponse:
    """Change what an address is called."""
    actions.set_address_name(find_address(email), values["display_name"])
    return done()


def _delete_address(request: HttpRequest, values: Values, email: str) -> HttpResponse:
    """Delete an address with its memberships."""
    actions.delete_address(find_address(email))
    return done()


def _verify(request: HttpRequest, email: str) -> HttpResponse:
    """Note that an address was shown to be owned."""
    actions.verify(find_address(email))
    return done()


def _unverify(request: HttpRequest, email: str) -> HttpResponse:
    """Forget that an address was shown to be owned."""
    actions.unverify(find_address(email))
    return done()


def _show_address_user(request: HttpRequest, email: str) -> HttpResponse:
    """The user of an address."""
    return ok(user_resource(request, found(find_address(email).user)))


def _link_free_address(request: HttpRequest, values: Values, email: str) -> HttpResponse:
    """Give an address that is nobody's to a user, or to a new one."""
    address = find_address(email)
    if address.user is not None:
        raise Conflict("409 Conflict")
    return _link_address(request, values, address)


def _relink_address(request: HttpRequest, values: Values, email: str) -> HttpResponse:
    """Give an address to another user, or to a new one."""
    return _link_address(request, values, find_address(email))


def _link_address(request: HttpRequest, values: Values, address: Address) -> HttpResponse:
    user_id = values.pop("user_id", None)
    if user_id is not None:
        user = _named_user(request, user_id)
        actions.unlink(address)
        actions.link_address(user, address)
        return nothing(200)
    if not values.pop("auto_create", True):
        raise NotAllowed("403 Forbidden")
    actions.unlink(address)
    return _place(request, actions.create_user(address.email, **values))


def _named_user(request: HttpRequest, user_id: str) -> User:
    if "@" not in user_id and uuid_in(request, user_id) is None:
        raise BadInput(f'Invalid Parameter "user_id": neither an identifier nor an address: {user_id}.')
    try:
        return find_user(request, user_id)
    except NotFound:
        if request.method == "PUT":
            raise
        raise BadInput(f"No user with ID {user_id}") from None


def _unlink_address(request: HttpRequest, values: Values, email: str) -> HttpResponse:
    """Let an address belong to nobody."""
    address = find_address(email)
    found(address.user)
    actions.unlink(address)
    return done()


def _address_of(request: HttpRequest, email: str) -> Preferences:
    return find_address(email)


_LINKED = {**_NEW_USER, "user_id": fields.line}
_MADE = {201: "a user was made"}

users = endpoint(
    get=shows(_show_users, many(USER), paged=True),
    post=takes(_make_user, {"email": fields.email}, _NEW_USER, status=201),
)
users_find = endpoint(get=takes(_find_users, {"q": fields.line}, PAGE, status=200, gives=many(USER)))
owners = endpoint(get=shows(_show_owners, many(USER), paged=True))
user = endpoint(
    changes(_change_user, _CHANGED_USER, unknown="Unknown attribute"),
    get=shows(_show_user, USER),
    delete=takes(_delete_user),
)
user_addresses = endpoint(
    get=shows(_show_user_addresses, many(ADDRESS), paged=True),
    post=takes(
        _add_user_address,
        {"email": fields.email},
        {"display_name": fields.line, "absorb_existing": fields.boolean},
        status=201,
    ),
)
user_preferred = endpoint(
    get=shows(_show_preferred, ADDRESS),
    post=takes(_set_preferred, {"email": fields.email}, status=201),
    delete=takes(_clear_preferred),
)
user_preferences = preferences_endpoint("users/{identifier}/preferences", find_user)
user_login = endpoint(
    post=takes(_log_in, {"cleartext_password": fields.line}, other={403: "the password is not the user's"})
)
addresses = endpoint(get=shows(_show_addresses, many(ADDRESS), paged=True))
address = endpoint(
    get=shows(_show_address, ADDRESS),
    patch=takes(_change_address, {"display_name": fields.line}),
    delete=takes(_delete_address),
)
address_preferences = preferences_endpoint("addresses/{email}/preferences", _address_of)
address_verify = endpoint(post=Operation(_verify, status=204))
address_unverify = endpoint(post=Operation(_unverify, status=204))
address_user = endpoint(
    get=shows(_show_address_user, USER),
    post=takes(
        _link_free_address,
        None,
        {**_LINKED, "auto_create": fields.boolean},
        status=200,
        other={**_MADE, 403: "without auto_create, a user_id is needed", 409: "it is somebody's"},
    ),
    put=takes(_relink_address, None, _LINKED, status=200, other=_MADE),
    delete=takes(_unlink_address),
)
