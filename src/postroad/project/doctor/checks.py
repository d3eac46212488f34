"""Every check by name, in the order they are made."""

import logging
from collections.abc import Callable, Iterable, Iterator

from django.db import Error

from postroad.project.doctor import (
    backups,
    certificates,
    clock,
    configured,
    disk,
    domains,
    mail_server,
    people,
    queues,
    relay,
    service,
    versions,
)
from postroad.project.doctor.finding import Finding, bad
from postroad.upgrade import schema

log = logging.getLogger("postroad.doctor")

CHECKS: tuple[tuple[str, Callable[[], Iterable[Finding]]], ...] = (
    ("versions", versions.look),
    ("settings", configured.look),
    ("service", service.look),
    ("mail server", mail_server.look),
    ("relay", relay.look),
    ("dns", domains.look),
    ("people", people.look),
    ("queue", queues.look),
    ("disk", disk.look),
    ("backups", backups.look),
    ("certificates", certificates.look),
    ("clock", clock.look),
)


def examine(names: Iterable[str] = ()) -> Iterator[tuple[str, Finding]]:
    """Make the checks of these names, all when none is named; each finding with its check's name, as it comes.

    A check that fails is a finding too, and stops no other.
    """
    chosen = set(names)
    for name, look in CHECKS:
        if chosen and name not in chosen:
            continue
        try:
            for finding in look():
                yield name, finding
        except Error as error:
            told = schema.explained(error) or f"the database does not answer: {str(error).strip()}"
            yield name, bad(str(told), "Start the database, or mend [database] url, then call doctor again")
        except Exception as error:
            log.debug("check %s failed", name, exc_info=True)
            yield name, bad(f"could not be looked at: {type(error).__name__}: {error}", "Tell Postroad's authors")
