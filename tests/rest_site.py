"""A small site in which every address of REST names something, and an example call for every operation."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from rest_client import Reply, Rest

from postroad.community.lists.queries import find_list
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.rest.endpoint import Endpoint
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation.engine import judge
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.worker import work
from postroad.project.rest_urls import VERSIONS

ANT, BEE = "ant.example.com", "bee.example.com"
MAIL = (
    b"From: Zoe <zoe@example.org>\r\nTo: ant@example.com\r\nSubject: Hi\r\nMessage-ID: <one@example.org>\r\n\r\nHi.\r\n"
)

FIELDS: Mapping[str, Any] = {
    "url": "https://example.org/hook", "mail_host": "new.example", "fqdn_listname": "new@example.com", "owner": "olga@example.com", "display_name": "New",
    "description": "new", "alias_domain": "alias.example", "base_url": "https://lists.example.com/",
    "cleartext_password": "correct", "is_server_owner": False, "subscriber": "anne@example.com", "emails": ["anne@example.com"],
    "header": "x-spam", "pattern": "^yes", "action": "defer", "tag": "spam", "text": MAIL.decode(), "q": "anne",
    "message_id": "one@example.org", "list_id": ANT, "position": 0, "email": "new@example.org", "acknowledge_posts": True, "hide_address": True,
    "delivery_mode": "regular", "delivery_status": "enabled", "preferred_language": "en", "receive_list_copy": True,
    "receive_own_postings": True,
}  # fmt: skip
"""What a field is given as an example."""
PECULIAR: Mapping[str, Mapping[str, Any]] = {
    "POST members": {
        "subscriber": "new@example.org",
        "pre_verified": True,
        "pre_confirmed": True,
        "pre_approved": True,
    },
    "POST users/<str:identifier>/preferred_address": {"email": "anne@example.com"},
    "POST addresses/<str:email>/user": {"user_id": "anne@example.com"},
    "PUT addresses/<str:email>/user": {"user_id": "anne@example.com"},
    "POST lists/<str:list_id>/digest": {"bump": True},
    "POST tokens": {"user": "anne@example.com", "name": "another", "scope": "read"},
    "POST lists/<str:list_id>/header-matches": {"header": "x-other"},
    "PUT lists/<str:list_id>/config/<str:attribute>": {"description": "new"},
    "PATCH lists/<str:list_id>/config/<str:attribute>": {"description": "new"},
    "PATCH lists/<str:list_id>/config": {"description": "new"},
    "PATCH lists/<str:list_id>/archivers": {"prototype": False},
}
"""What one call needs beside or in place of that."""
PARTS: Mapping[str, Mapping[str, str]] = {
    "DELETE lists/<str:list_id>/config/<str:attribute>": {"attribute": "acceptable_aliases"},
    "POST addresses/<str:email>/user": {"email": "nonmember@example.com"},
}
"""What one call needs in its address."""


class Site:
    """The site, and the values that stand in addresses."""

    def __init__(self, version: str = "3.1", token: str | None = None) -> None:
        self.rest = Rest(version, token)

    def build(self) -> None:
        """Domain, two lists, people in every role, a ban, a check, a template, a held post, a request, a waiting mail."""
        rest = Rest()
        made = [
            rest.post("domains", mail_host="example.com", owner="olga@example.com"),
            *(rest.post("lists", fqdn_listname=f"{name}@example.com") for name in ("ant", "bee")),
            *(rest.post("members", list_id=ANT, subscriber=f"{role}@example.com", role=role) for role in ("owner", "moderator", "nonmember")),
            rest.delete("addresses/nonmember@example.com/user"),
            rest.post("users", email="anne@example.com", display_name="Anne", password="correct"),
            rest.post("addresses/anne@example.com/verify"),
            rest.post("users/anne@example.com/preferred_address", email="anne@example.com"),
            *(rest.post("members", list_id=name, subscriber="anne@example.com", pre_verified=True, pre_confirmed=True, pre_approved=True) for name in (ANT, BEE)),
            *(rest.post(place, email="bad@example.org") for place in (f"lists/{ANT}/bans", "bans")),
            rest.post(f"lists/{ANT}/header-matches", header="X-Spam", pattern="^yes"),
            *(rest.patch(f"{place}uris", **{"list:user:notice:welcome": "http://127.0.0.1:1/x"}) for place in ("", "domains/example.com/", f"lists/{ANT}/")),
            rest.patch(f"lists/{ANT}/config", subscription_policy="moderate", admin_immed_notify=False),
            rest.post("members", list_id=ANT, subscriber="late@example.org", pre_verified=True, pre_confirmed=True),
            rest.post("queues/in", list_id=BEE, text=MAIL.decode()),
            *(rest.post(f"{place}webhooks", url="http://127.0.0.1:1/hook") for place in ("", f"lists/{ANT}/")),
            rest.post("tokens", user="anne@example.com", name="script", scope="read"),
        ]  # fmt: skip
        assert all(reply.status < 300 for reply in made), [reply for reply in made if reply.status >= 300]
        self.hold()
        self.look()

    def hold(self, message_id: str = "<one@example.org>") -> None:
        """A post that waits for a moderator."""
        mail = MAIL.replace(b"<one@example.org>", message_id.encode())
        envelope = Envelope(
            journey="test", message=storage.store(mail), message_id=message_id.strip("<>"), received_at=time.time(),
            size=len(mail), list_id=ANT, sender="zoe@example.org",
        )  # fmt: skip
        assert judge(Post(find_list(ANT), envelope, mail)).action == "hold"
        work(envelope)

    def look(self) -> None:
        """Learn what stands in addresses of a site that is built already."""
        self.parts = self._parts(Rest())

    def _parts(self, rest: Rest) -> dict[str, str]:
        member = UUID(rest.get(f"lists/{ANT}/member/anne@example.com").json["member_id"])
        user = UUID(rest.get("users/anne@example.com").json["user_id"])
        return {
            "list_id": ANT, "mail_host": "example.com", "role": "member", "email": "anne@example.com",
            "member_id": str(member.int) if self.rest.version == "3.0" else member.hex,
            "identifier": str(user.int) if self.rest.version == "3.0" else user.hex,
            "attribute": "description", "template": "list:user:notice:welcome", "request_id": "1", "position": "0",
            "token": rest.get(f"lists/{ANT}/requests").entries[0]["token"], "section": "mta", "name": "in",
            "file": rest.get("queues/in").json["files"][0], "rest": "x",
            "webhook_id": str(rest.get("webhooks").entries[0]["id"]),
            "token_id": str(rest.get("tokens").entries[0]["id"]),
        }  # fmt: skip

    def path(self, method: str, route: str, **other: str) -> str:
        """An address with everything in it filled; `other` values take precedence."""
        parts = {**self.parts, **other}
        if "bans/" in route:
            parts["email"] = other.get("email", "bad@example.org")
        if route.startswith("lists/") and "webhook_id" in route and "webhook_id" not in other:
            parts["webhook_id"] = str(int(parts["webhook_id"]) + 1)
        parts |= {name: value for name, value in PARTS.get(f"{method} {route}", {}).items() if name not in other}
        return "/".join(
            quote(parts[part.strip("<>").partition(":")[2]]) if part[0] == "<" else part for part in route.split("/")
        )

    def example(self, method: str, route: str, endpoint: Endpoint) -> dict[str, Any]:
        """The fields of a call that succeeds."""
        operation = endpoint.operations[method.lower()]
        names = {**operation.required, **({} if method in ("GET", "DELETE") else operation.optional)}
        peculiar = PECULIAR.get(f"{method} {route}", {})
        wanted = [name for name in names if name in operation.required or method in ("PUT", "PATCH")]
        if operation.body is not None and method == "PUT" and not peculiar:
            return self._whole(method, route, operation.body())
        if operation.body is not None and "uris" in route:
            return {"list:user:notice:welcome": "http://127.0.0.1:1/y"}
        return {**{name: FIELDS[name] for name in wanted if name in FIELDS}, **peculiar}

    def _whole(self, method: str, route: str, described: Mapping[str, Any]) -> dict[str, Any]:
        """What PUT asks for: everything that can be written, as it is or as the example has it."""
        if "uris" in route:
            names = [name for name in described["properties"] if ":" in name]
            return dict.fromkeys(
                names if route.endswith("uris") else ["list:user:notice:welcome"], "http://127.0.0.1:1/y"
            )
        shown = self.rest.get(self.path(method, route)).json
        names = described.get("properties", set(shown) - {"http_etag"})
        return {name: "" if shown[name] is None else shown[name] for name in names}

    def call(self, method: str, route: str, fields: Mapping[str, Any], **other: str) -> Reply:
        """Make a call: fields as a JSON object, or in the query where there is no body."""
        path = self.path(method, route, **other)
        if method in ("GET", "DELETE"):
            return self.rest.call(method, f"{path}?{urlencode(fields, doseq=True)}" if fields else path)
        return self.rest.call(method, path, json=dict(fields))


def operations(version: str = "3.1") -> Iterator[tuple[str, str, Endpoint]]:
    """Every method of every address, with the rights it needs."""
    for route, endpoint, reading, writing in VERSIONS[version]:
        for method in endpoint.methods:
            yield method, route, endpoint.allowing(reading, writing)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def attempt(call: Callable[[], Reply]) -> Reply:
    """Make a call; what it does is undone when it succeeds, and stays when it was refused: there should be nothing."""
    with transaction.atomic():
        reply = call()
        transaction.set_rollback(reply.status < 400)
    return reply


def fingerprint() -> str:
    """Changes when a row of any table does, apart from the log of calls."""
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if model._meta.label != "rest.Call":
                cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
                digest.update(repr(sorted(map(repr, cursor.fetchall()))).encode())
    return digest.hexdigest()
