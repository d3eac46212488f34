"""REST of the installation: versions, default preferences, configuration, chains, pipelines."""

import sys

from django.http import HttpRequest, HttpResponse

from postroad.community.lists.declare import CHAINS, PIPELINES
from postroad.community.people.resource import PREFERENCES
from postroad.community.subscriptions.queries import SITE_PREFERENCES
from postroad.foundation.configuration import current
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.operation import Operation, shows, takes
from postroad.foundation.rest.resource import done, failure, found, link, ok, version_of
from postroad.foundation.rest.shapes import LINK, TEXT, TEXTS, shape
from postroad.project.system_configuration import sections

COMPATIBLE_WITH = "GNU Mailman 3.3.10 (Tom Sawyer)"
"""What clients look at to know which resources they may use."""

VERSIONS = shape("Versions", mailman_version=TEXT, python_version=TEXT, api_version=TEXT, self_link=LINK)
SECTIONS = shape("Sections", sections=TEXTS, self_link=LINK)
SECTION = shape("Section", self_link=LINK, open_=True)
PIPELINE_NAMES = shape("Pipelines", pipelines=TEXTS)
CHAIN_NAMES = shape("Chains", chains=TEXTS)


def _versions(request: HttpRequest) -> HttpResponse:
    """The versions of everything; `mailman_version` is the one whose REST this is."""
    return ok(
        {
            "mailman_version": COMPATIBLE_WITH,
            "python_version": sys.version,
            "api_version": version_of(request),
            "self_link": link(request, "system/versions"),
        }
    )


def _preferences(request: HttpRequest) -> HttpResponse:
    """The preferences of who set none."""
    language = {"preferred_language": current().site.language}
    return ok({**SITE_PREFERENCES, **language, "self_link": link(request, "system/preferences")})


def _configuration(request: HttpRequest) -> HttpResponse:
    """The names of the configuration's sections."""
    return ok({"sections": list(sections(current())), "self_link": link(request, "system/configuration")})


def _section(request: HttpRequest, section: str) -> HttpResponse:
    """One section of the configuration; secrets are left empty."""
    values = found(sections(current()).get(section))
    return ok({**values, "self_link": link(request, f"system/configuration/{section}")})


def _pipelines(request: HttpRequest) -> HttpResponse:
    """The pipelines a list can choose from."""
    return ok({"pipelines": sorted(PIPELINES)})


def _chains(request: HttpRequest) -> HttpResponse:
    """The chains posts are judged by."""
    return ok({"chains": sorted(CHAINS)})


def _nothing(request: HttpRequest, **_: str) -> HttpResponse:
    """There are no templates here; Mailman routes this address and never answers it either."""
    return failure(404, "404 Not Found")


def _reset(request: HttpRequest, values: Values) -> HttpResponse:
    """Nothing is kept from one request to the next; there is nothing to reset."""
    return done()


def _orphans(request: HttpRequest, values: Values) -> HttpResponse:
    """Identifiers are columns of what they identify; there are no orphans."""
    return done()


versions = endpoint(get=shows(_versions, VERSIONS))
preferences = endpoint(get=shows(_preferences, PREFERENCES))
configuration = endpoint(get=shows(_configuration, SECTIONS))
configuration_section = endpoint(get=shows(_section, SECTION))
pipelines = endpoint(get=shows(_pipelines, PIPELINE_NAMES))
chains = endpoint(get=shows(_chains, CHAIN_NAMES))
templates = endpoint(get=Operation(_nothing, status=404))
reserved_reset = endpoint(get=takes(_reset))
reserved_orphans = endpoint(delete=takes(_orphans))
root = endpoint()
