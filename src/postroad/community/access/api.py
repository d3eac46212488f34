"""REST of people's tokens, an addition to Mailman's: /tokens."""

from django.http import HttpRequest, HttpResponse

from postroad.community.access import actions, queries
from postroad.community.access.models import Token
from postroad.community.people.api import find_user
from postroad.foundation.errors import BadInput, NotFound
from postroad.foundation.rest import fields
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.operation import shows, takes
from postroad.foundation.rest.resource import Json, done, found, link, moment, ok, paged, uuid_out
from postroad.foundation.rest.shapes import LINK, MOMENT, MOMENT_OR_NULL, TEXT, TEXTS, WHOLE, Shape, many, shape

TOKEN = shape(
    "Token", id=WHOLE, name=TEXT, scope=TEXT, lists=TEXTS, user=LINK, created_at=MOMENT, expires_at=MOMENT,
    last_used_at=MOMENT_OR_NULL, self_link=LINK,
)  # fmt: skip
NEW_TOKEN = Shape("NewToken", {**TOKEN.keys, "token": TEXT})


def _resource(request: HttpRequest, token: Token) -> Json:
    return {
        "id": token.pk,
        "name": token.name,
        "scope": token.scope,
        "lists": token.lists,
        "user": link(request, f"users/{uuid_out(request, token.user.uuid)}"),
        "created_at": moment(token.created_at),
        "expires_at": token.expires_at and moment(token.expires_at),
        "last_used_at": token.last_used_at and moment(token.last_used_at),
        "self_link": link(request, f"tokens/{token.pk}"),
    }


def _find(token_id: str) -> Token:
    number = int(token_id) if token_id.isascii() and token_id.isdigit() and len(token_id) < 19 else 0
    return found(queries.tokens_of().filter(pk=number).first())


def _show_all(request: HttpRequest) -> HttpResponse:
    """Everybody's tokens, the newest first."""
    return paged(request, queries.tokens_of(), lambda token: _resource(request, token))


def _make(request: HttpRequest, values: Values) -> HttpResponse:
    """Make a token in a person's name; the answer has the token itself, which is never told again."""
    try:
        user = find_user(request, values.pop("user"))
    except NotFound:
        raise BadInput("No such user") from None
    token, secret = actions.make_token(user, **values)
    return ok({**_resource(request, token), "token": secret}, status=201)


def _show(request: HttpRequest, token_id: str) -> HttpResponse:
    """One token."""
    return ok(_resource(request, _find(token_id)))


def _revoke(request: HttpRequest, values: Values, token_id: str) -> HttpResponse:
    """End a token at once."""
    actions.revoke(_find(token_id))
    return done()


_MADE = takes(
    _make,
    {"user": fields.line, "name": fields.line, "scope": fields.choice(*Token.Scope.values)},
    {"lists": fields.lines, "days": fields.integer},
    status=201,
    gives=NEW_TOKEN,
)
tokens = endpoint(get=shows(_show_all, many(TOKEN), paged=True), post=_MADE)
token = endpoint(get=shows(_show, TOKEN), delete=takes(_revoke))
