"""REST 3.1 of the installation: versions, default preferences, chains and pipelines."""

import sys

from django.http import HttpRequest, HttpResponse

from postroad.foundation.configuration import current
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.resource import link, ok, version_of

COMPATIBLE_WITH = "GNU Mailman 3.3.10 (Tom Sawyer)"
"""What clients look at to know which resources they may use."""


def _versions(request: HttpRequest) -> HttpResponse:
    from importlib.metadata import version

    return ok(
        {
            "mailman_version": COMPATIBLE_WITH,
            "postroad_version": version("postroad"),
            "python_version": sys.version,
            "api_version": version_of(request),
            "self_link": link(request, "system/versions"),
        }
    )


def _preferences(request: HttpRequest) -> HttpResponse:
    return ok(
        {
            "acknowledge_posts": False,
            "delivery_mode": "regular",
            "delivery_status": "enabled",
            "hide_address": True,
            "preferred_language": current().site.language,
            "receive_list_copy": True,
            "receive_own_postings": True,
            "self_link": link(request, "system/preferences"),
        }
    )


def _pipelines(request: HttpRequest) -> HttpResponse:
    return ok({"pipelines": ["default-owner-pipeline", "default-posting-pipeline", "virgin"]})


def _chains(request: HttpRequest) -> HttpResponse:
    names = [
        "accept", "default-owner-chain", "default-posting-chain", "discard", "dmarc", "header-match", "hold",
        "moderation", "reject",
    ]  # fmt: skip
    return ok({"chains": names})


versions = endpoint(get=_versions)
preferences = endpoint(get=_preferences)
pipelines = endpoint(get=_pipelines)
chains = endpoint(get=_chains)
