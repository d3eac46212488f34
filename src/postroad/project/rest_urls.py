"""Every address of REST 3.0 and 3.1, gathered from the slices; the API's version is the first segment."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path

from postroad.community.bans import api as bans
from postroad.community.lists import api as lists
from postroad.community.people import api as people
from postroad.community.subscriptions import api as members
from postroad.foundation.rest.resource import failure
from postroad.mailflow.moderation import api as moderation
from postroad.project import system_api as system

ROLE = "(?P<role>member|owner|moderator|nonmember)"


def unknown(request: HttpRequest, **_: object) -> HttpResponse:
    """No such resource."""
    return failure(404)


RESOURCES: list[URLPattern | URLResolver] = [
    path("system", system.versions),
    path("system/versions", system.versions),
    path("system/preferences", system.preferences),
    path("system/pipelines", system.pipelines),
    path("system/chains", system.chains),
    path("domains", lists.domains),
    path("domains/<str:mail_host>", lists.domain),
    path("domains/<str:mail_host>/lists", lists.domain_lists),
    path("domains/<str:mail_host>/owners", lists.domain_owners),
    path("lists", lists.lists),
    path("lists/styles", lists.styles),
    path("lists/find", members.lists_find),
    path("lists/<str:list_id>", lists.list_),
    path("lists/<str:list_id>/config", lists.config),
    path("lists/<str:list_id>/config/<str:attribute>", lists.config_attribute),
    re_path(rf"^lists/(?P<list_id>[^/]+)/roster/{ROLE}$", members.roster),
    re_path(rf"^lists/(?P<list_id>[^/]+)/{ROLE}/(?P<email>[^/]+)$", members.member_in_role),
    path("lists/<str:list_id>/held", moderation.held_all),
    path("lists/<str:list_id>/held/count", moderation.held_count),
    path("lists/<str:list_id>/held/<str:request_id>", moderation.held_one),
    path("lists/<str:list_id>/header-matches", moderation.matches),
    path("lists/<str:list_id>/header-matches/find", moderation.matches_found),
    path("lists/<str:list_id>/header-matches/<str:position>", moderation.match),
    path("lists/<str:list_id>/bans", bans.bans),
    path("lists/<str:list_id>/bans/<path:email>", bans.ban),
    path("bans", bans.bans),
    path("bans/<path:email>", bans.ban),
    path("members", members.members),
    path("members/find", members.members_find),
    path("members/<str:member_id>", members.member),
    path("members/<str:member_id>/preferences", members.member_preferences),
    path("members/<str:member_id>/all/preferences", members.member_all_preferences),
    path("users", people.users),
    path("users/find", people.users_find),
    path("users/<str:identifier>", people.user),
    path("users/<str:identifier>/addresses", people.user_addresses),
    path("users/<str:identifier>/preferred_address", people.user_preferred),
    path("users/<str:identifier>/preferences", people.preferences),
    path("users/<str:identifier>/login", people.user_login),
    path("owners", people.owners),
    path("addresses", people.addresses),
    path("addresses/<str:email>", people.address),
    path("addresses/<str:email>/memberships", members.address_memberships),
    path("addresses/<str:email>/preferences", people.preferences),
    path("addresses/<str:email>/verify", people.address_verify),
    path("addresses/<str:email>/unverify", people.address_unverify),
    path("addresses/<str:email>/user", people.address_user),
]

urlpatterns = [path("3.0/", include(RESOURCES)), path("3.1/", include(RESOURCES))]
handler404 = "postroad.project.rest_urls.unknown"
