"""A package that names a plugin answers below its address, for the site's credential alone."""

import json
from importlib.metadata import EntryPoint

import pytest
from rest_client import Rest

from postroad.project import plugins

pytestmark = pytest.mark.django_db


class Echo:
    """What an installed package brings."""

    @staticmethod
    def resource(environ, start):
        if environ["PATH_INFO"] == "/none":
            start("404 Not Found", [("Content-Type", "application/json")])
            return [b'{"title": "404 Not Found"}']
        start("200 OK", [("Content-Type", "application/json"), ("X-Plugin", "echo")])
        names = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")
        told = {name: environ[name] for name in names}
        told |= {"body": environ["wsgi.input"].read().decode(), "knows": "HTTP_AUTHORIZATION" in environ}
        return [json.dumps(told).encode()]


@pytest.fixture(autouse=True)
def echo(monkeypatch):
    points = [EntryPoint("echo", "test_plugins:Echo", plugins.GROUP), EntryPoint("mute", "json", plugins.GROUP)]
    monkeypatch.setattr(plugins, "installed", lambda: points)
    monkeypatch.setattr(EntryPoint, "load", lambda point: Echo if point.name == "echo" else json)
    plugins._resource.cache_clear()
    yield
    plugins._resource.cache_clear()


@pytest.mark.parametrize("method", [method.upper() for method in plugins.METHODS])
def test_a_plugin_gets_the_call_below_its_name_without_the_credential(rest, method):
    reply = rest.call(method, "plugins/echo/a/b?c=d", b"text", content_type="text/plain")
    assert (reply.status, reply.headers["X-Plugin"]) == (200, "echo")
    assert reply.json == {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "/3.1/plugins/echo", "PATH_INFO": "/a/b", "QUERY_STRING": "c=d",
        "body": "text", "knows": False,
    }  # fmt: skip


def test_its_root_and_what_it_does_not_have(rest):
    assert rest.get("plugins/echo").json["PATH_INFO"] == "/"
    assert rest.get("plugins/echo/none").status == 404


@pytest.mark.parametrize("name", ["mute", "nowhere"])
def test_who_has_no_resource_has_no_address(rest, name):
    assert rest.get(f"plugins/{name}").status == 404


def test_plugins_are_shown(rest):
    assert [(entry["name"], entry["class"]) for entry in rest.get("plugins").entries] == [
        ("echo", "test_plugins:Echo"), ("mute", "json"),
    ]  # fmt: skip


def test_nobody_else_reaches_a_plugin(rest):
    assert Rest(token="0" * 40).get("plugins/echo").status == 401
