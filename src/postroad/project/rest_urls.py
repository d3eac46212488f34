"""Every address of REST 3.0 and 3.1, gathered from the slices, with the right a caller needs to read and to write.

This is the one table of rights: `read`, `moderate` and `manage` count on the list a call is about, `site` everywhere.
The API's version is the first segment.
"""

import functools
from collections.abc import Mapping, Sequence
from importlib.metadata import version as installed

import msgspec
from django.http import HttpRequest, HttpResponse

from postroad.community.access import api as access
from postroad.community.bans import api as bans
from postroad.community.lists import api as lists
from postroad.community.lists import config_api as config
from postroad.community.lists import domains_api as domains
from postroad.community.notices import api as templates
from postroad.community.people import api as people
from postroad.community.subscriptions import api as members
from postroad.community.subscriptions import requests_api as requests
from postroad.foundation.configuration import current
from postroad.foundation.rest.endpoint import Endpoint, endpoint
from postroad.foundation.rest.openapi import document
from postroad.foundation.rest.operation import Right, shows
from postroad.foundation.rest.resource import version_of
from postroad.foundation.rest.routes import Routes
from postroad.foundation.rest.shapes import Schema, Shape
from postroad.mailflow.digests import api as digests
from postroad.mailflow.moderation import api as held
from postroad.project import config_3_0_api as config_3_0
from postroad.project import insight_api as insight
from postroad.project import plugins
from postroad.project import queues_api as queues
from postroad.project import system_api as system
from postroad.project.webhooks import api as webhooks


def _show_document(request: HttpRequest) -> HttpResponse:
    """This document."""
    described = documents(f"http://{current().rest.listen}")[version_of(request)]
    return HttpResponse(msgspec.json.encode(described), content_type="application/json")


Row = tuple[str, Endpoint, Right, Right]
"""Address, what answers there, the right to read, the right to write."""

ROWS: Sequence[Row] = (
    (
        "openapi.json",
        endpoint(get=shows(_show_document, Shape("OpenApi", {}, frozenset({"http_etag"}), open=True))),
        "read",
        "site",
    ),
    ("system", system.versions, "read", "site"),
    ("system/versions", system.versions, "read", "site"),
    ("system/preferences", system.preferences, "site", "site"),
    ("system/configuration", system.configuration, "site", "site"),
    ("system/configuration/<str:section>", system.configuration_section, "site", "site"),
    ("system/pipelines", system.pipelines, "site", "site"),
    ("system/chains", system.chains, "site", "site"),
    ("domains", domains.domains, "site", "site"),
    ("domains/<str:mail_host>", domains.domain, "site", "site"),
    ("domains/<str:mail_host>/lists", domains.domain_lists, "site", "site"),
    ("domains/<str:mail_host>/owners", domains.domain_owners, "site", "site"),
    ("lists", lists.lists, "site", "site"),
    ("lists/styles", lists.styles, "site", "site"),
    ("lists/find", members.lists_find, "site", "site"),
    ("lists/<str:list_id>", lists.list_, "read", "site"),
    ("lists/<str:list_id>/archivers", lists.archivers, "manage", "manage"),
    ("lists/<str:list_id>/digest", digests.digest, "read", "manage"),
    ("lists/<str:list_id>/roster/<role:role>", members.roster, "moderate", "manage"),
    ("lists/<str:list_id>/<role:role>/<str:email>", members.member_in_role, "moderate", "manage"),
    ("lists/<str:list_id>/held", held.held_all, "moderate", "moderate"),
    ("lists/<str:list_id>/held/count", held.held_count, "read", "moderate"),
    ("lists/<str:list_id>/held/<str:request_id>", held.held_one, "moderate", "moderate"),
    ("lists/<str:list_id>/requests", requests.requests, "moderate", "moderate"),
    ("lists/<str:list_id>/requests/count", requests.requests_count, "read", "moderate"),
    ("lists/<str:list_id>/requests/<str:token>", requests.request_one, "moderate", "moderate"),
    ("lists/<str:list_id>/header-matches", held.matches, "manage", "manage"),
    ("lists/<str:list_id>/header-matches/find", held.matches_found, "manage", "manage"),
    ("lists/<str:list_id>/header-matches/<str:position>", held.match, "manage", "manage"),
    ("lists/<str:list_id>/bans", bans.bans, "moderate", "moderate"),
    ("lists/<str:list_id>/bans/<path:email>", bans.ban, "moderate", "moderate"),
    ("bans", bans.bans, "site", "site"),
    ("bans/<path:email>", bans.ban, "site", "site"),
    ("members", members.members, "site", "manage"),
    ("members/find", members.members_find, "moderate", "moderate"),
    ("members/<str:member_id>", members.member, "moderate", "manage"),
    ("members/<str:member_id>/preferences", members.member_preferences, "moderate", "manage"),
    ("members/<str:member_id>/all/preferences", members.member_all_preferences, "moderate", "manage"),
    ("users", people.users, "site", "site"),
    ("users/find", people.users_find, "site", "site"),
    ("users/<str:identifier>", people.user, "site", "site"),
    ("users/<str:identifier>/addresses", people.user_addresses, "site", "site"),
    ("users/<str:identifier>/preferred_address", people.user_preferred, "site", "site"),
    ("users/<str:identifier>/preferences", people.user_preferences, "site", "site"),
    ("users/<str:identifier>/login", people.user_login, "site", "site"),
    ("owners", people.owners, "site", "site"),
    ("addresses", people.addresses, "site", "site"),
    ("addresses/<str:email>", people.address, "site", "site"),
    ("addresses/<str:email>/memberships", members.address_memberships, "site", "site"),
    ("addresses/<str:email>/preferences", people.address_preferences, "site", "site"),
    ("addresses/<str:email>/verify", people.address_verify, "site", "site"),
    ("addresses/<str:email>/unverify", people.address_unverify, "site", "site"),
    ("addresses/<str:email>/user", people.address_user, "site", "site"),
    ("tokens", access.tokens, "site", "site"),
    ("tokens/<str:token_id>", access.token, "site", "site"),
    ("queues", queues.queues, "site", "site"),
    ("queues/<str:name>", queues.queue, "site", "site"),
    ("queues/<str:name>/<str:file>", queues.queue_file, "site", "site"),
    ("trace", insight.trace_, "site", "site"),
    ("audit", insight.audit, "site", "site"),
    ("lists/<str:list_id>/trace", insight.trace_, "moderate", "site"),
    ("lists/<str:list_id>/explain", insight.explain_, "site", "moderate"),
    ("lists/<str:list_id>/audit", insight.audit, "manage", "site"),
    ("webhooks", webhooks.webhooks, "site", "site"),
    ("webhooks/<str:webhook_id>", webhooks.webhook, "site", "site"),
    ("webhooks/<str:webhook_id>/deliveries", webhooks.deliveries, "site", "site"),
    ("lists/<str:list_id>/webhooks", webhooks.webhooks, "manage", "manage"),
    ("lists/<str:list_id>/webhooks/<str:webhook_id>", webhooks.webhook, "manage", "manage"),
    ("lists/<str:list_id>/webhooks/<str:webhook_id>/deliveries", webhooks.deliveries, "manage", "manage"),
    ("reserved/reset", system.reserved_reset, "site", "site"),
    ("reserved/uids/orphans", system.reserved_orphans, "site", "site"),
)

ONLY_3_0: Sequence[Row] = (
    ("lists/<str:list_id>/config", config_3_0.config_3_0, "manage", "manage"),
    ("lists/<str:list_id>/config/<str:attribute>", config_3_0.config_attribute_3_0, "manage", "manage"),
    ("templates/<path:rest>", system.templates, "site", "site"),
)

ONLY_3_1: Sequence[Row] = (
    ("lists/<str:list_id>/config", config.config, "manage", "manage"),
    ("lists/<str:list_id>/config/<str:attribute>", config.config_attribute, "manage", "manage"),
    ("uris", templates.site_uris, "site", "site"),
    ("uris/<str:template>", templates.site_uri, "site", "site"),
    ("domains/<str:mail_host>/uris", templates.domain_uris, "site", "site"),
    ("domains/<str:mail_host>/uris/<str:template>", templates.domain_uri, "site", "site"),
    ("lists/<str:list_id>/uris", templates.list_uris, "manage", "manage"),
    ("lists/<str:list_id>/uris/<str:template>", templates.list_uri, "manage", "manage"),
    ("plugins", plugins.plugins, "site", "site"),
    ("plugins/<path:rest>", plugins.plugin, "site", "site"),
)


def _allowed(rows: Sequence[Row]) -> list[tuple[str, Endpoint]]:
    return [(route, answering.allowing(reading, writing)) for route, answering, reading, writing in rows]


VERSIONS: Mapping[str, Sequence[Row]] = {"3.0": (*ROWS, *ONLY_3_0), "3.1": (*ROWS, *ONLY_3_1)}


@functools.cache
def documents(server: str) -> Mapping[str, Schema]:
    """The OpenAPI document of each version, for a server's address."""
    release = installed("postroad")
    return {name: document(name, _allowed(rows), release, server) for name, rows in VERSIONS.items()}


KINDS = {"role": ("member", "owner", "moderator", "nonmember")}
"""What a part of an address may be, by its kind."""

ROUTES: Routes[Endpoint] = Routes(
    [
        *((name, system.root.allowing("read")) for name in VERSIONS),
        *((f"{name}/{route}", answering) for name, rows in VERSIONS.items() for route, answering in _allowed(rows)),
    ],
    KINDS,
)
