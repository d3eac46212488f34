"""Does postroad.toml say what a site in the open needs, and is it nobody else's to read?"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from postroad.community.lists.models import Domain
from postroad.foundation.configuration import Configuration, current
from postroad.foundation.sections import Site
from postroad.project.doctor.finding import Finding, bad, note, ok

LOCAL = ("127.0.0.1", "localhost", "[::1]", "::1")
SHORTEST_PASSWORD = 12
PRIVATE = 0o077
"""Bits that let others at a file."""


def look() -> Iterator[Finding]:
    """Each key that must not stay as it came, and the files with secrets."""
    site = current()
    yield from _base_url(site)
    if site.site.owner == Site().owner:
        yield bad(f"[site] owner is still {Site().owner}", "Name an address that a person reads")
    else:
        yield ok(f"mail to the site's owner goes to {site.site.owner}")
    if not Domain.objects.exists():
        yield note("there is no list yet", "`postroad list add ants@lists.example.org --owner you@example.org`")
    if len(site.rest.password) < SHORTEST_PASSWORD:
        yield bad("[rest] password is short", f"Take one of {SHORTEST_PASSWORD} characters or more, then restart")
    if site.rest.listen.host not in LOCAL:
        yield note(f"REST listens on {site.rest.listen}, without TLS", "Let it listen on 127.0.0.1, behind a proxy")
    yield from _files(site)


def _base_url(site: Configuration) -> Iterator[Finding]:
    parts = urlsplit(site.site.base_url)
    if parts.hostname in LOCAL:
        yield bad(f"links in mail lead to {site.site.base_url}, which only this machine reaches", "Set [site] base_url")
    elif parts.scheme != "https":
        yield bad(f"pages are told as {site.site.base_url}, without TLS", "Set [site] base_url to an https address")
    else:
        yield ok(f"links lead to {site.site.base_url}")
        if not site.web.trust_forwarded:
            yield note(
                "behind the proxy all visitors are one to the limits on joining and signing in",
                "Set [web] trust_forwarded = true where only the proxy reaches the pages",
            )


def _files(site: Configuration) -> Iterator[Finding]:
    open_ones = [
        path
        for path in (site.file, site.home / "secret.key")
        if path.exists() and path.stat().st_mode & PRIVATE
    ]  # fmt: skip
    for path in open_ones:
        yield bad(f"{path} can be read by others", f"chmod 600 {path}")
    if not open_ones:
        yield ok("secrets are readable by their owner alone")
