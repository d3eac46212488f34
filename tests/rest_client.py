"""Calls REST without a network: the same handler, addresses and views as the real listener has.

Every answer is held against the OpenAPI document, so each test of REST keeps that true.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.test import RequestFactory
from django.utils.encoding import iri_to_uri
from rest_conformance import check

from postroad.foundation.configuration import current
from postroad.project.http import RestHandler
from postroad.project.rest_urls import VERSIONS

FORM = "application/x-www-form-urlencoded"


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def entries(self) -> list[Any]:
        return self.json.get("entries", [])

    @property
    def description(self) -> str:
        return self.json.get("description", "")


class Rest:
    """`rest.get("lists")`, `rest.post("domains", mail_host="example.com")`, `rest.call("PUT", path, json={…})`."""

    def __init__(self, version: str = "3.1", token: str | None = None) -> None:
        self.version = version
        self.token = token
        self.handler = RestHandler()

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON, or the place of what was made."""
        reply = self.call(method, path, json=body) if body else self.call(method, path)
        return reply.status, reply.json if reply.content else reply.headers.get("Location")

    def call(self, method: str, path: str, data: bytes | dict[str, Any] | None = None, **more: Any) -> Reply:
        content_type = more.pop("content_type", FORM)
        if "json" in more:
            data, content_type = json.dumps(more.pop("json")).encode(), "application/json"
        elif isinstance(data, dict):
            data = urlencode(data, doseq=True).encode()
        headers = {"Authorization": self.authorization(), **more.pop("headers", {})}
        request = RequestFactory().generic(
            method, iri_to_uri(f"/{self.version}/{path}"), data or b"", content_type if data else "", headers=headers
        )
        response = self.handler.get_response(request)
        if self.version in VERSIONS:
            check(method, self.version, request.path_info, response.status_code, response.content)
        return Reply(response.status_code, dict(response.items()), response.content)

    def authorization(self) -> str:
        rest = current().rest
        user, password = ("token", self.token) if self.token is not None else (rest.user, rest.password)
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def get(self, path: str, **query: Any) -> Reply:
        return self.call("GET", f"{path}?{urlencode(query, doseq=True)}" if query else path)

    def post(self, path: str, **fields: Any) -> Reply:
        return self.call("POST", path, fields)

    def put(self, path: str, **fields: Any) -> Reply:
        return self.call("PUT", path, fields)

    def patch(self, path: str, **fields: Any) -> Reply:
        return self.call("PATCH", path, fields)

    def delete(self, path: str, **fields: Any) -> Reply:
        return self.call("DELETE", path, fields or None)
