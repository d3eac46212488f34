"""Does the service run, and do its listeners answer?"""

import http.client
import socket
from collections.abc import Iterator

from postroad.community.lists.models import MailingList
from postroad.foundation.configuration import current
from postroad.foundation.instance import running
from postroad.foundation.sections import Listen
from postroad.project.doctor.dialogue import TIMEOUT_SECONDS, Dialogue
from postroad.project.doctor.finding import Finding, bad, note, ok

NOBODY = "postroad-doctor-asks-for-nobody"
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 — addresses to compare with
START = "Start it: `systemctl start postroad`, or `postroad serve`"


def look() -> Iterator[Finding]:
    """The process, pages, REST, and a test recipient by LMTP."""
    pid = running(current().home)
    if pid is None and not _listens(current().lmtp.listen):
        yield bad("the service does not run on this machine", START)
        return
    if current().site.shadow:
        yield note(
            "a shadow of an old site that lives on: no digests, reminders or news, and no files for the MTA",
            "Once that is stopped for good, call the import with --cut-over and restart the service",
        )
    yield ok(f"the service runs as process {pid}" if pid else "roles of the service run one by one")
    for name, listen in (("the web", current().web.listen), ("REST", current().rest.listen)):
        yield _http(name, listen)
    yield from _lmtp(current().lmtp.listen)
    if (listen_maps := current().maps.listen) is not None:
        yield _maps(listen_maps)


def host_of(listen: Listen) -> str:
    """Where a listener is met from this machine."""
    return EVERYWHERE.get(listen.host, listen.host)


def _listens(listen: Listen) -> bool:
    try:
        socket.create_connection((host_of(listen), listen.port), TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


def _http(name: str, listen: Listen) -> Finding:
    connection = http.client.HTTPConnection(host_of(listen), listen.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return bad(f"{name} does not answer on {listen}: {error}", START)
    finally:
        connection.close()
    if status >= 500:
        return bad(f"{name} answers {status} on {listen}", "The service's log says why")
    return ok(f"{name} answers on {listen}")


def _lmtp(listen: Listen) -> Iterator[Finding]:
    first = MailingList.objects.order_by("pk").first()
    try:
        with Dialogue(host_of(listen), listen.port) as lmtp:
            lmtp.say("LHLO localhost")
            lmtp.say("MAIL FROM:<>")
            if first is None:
                yield ok(f"LMTP answers on {listen}")
                return
            known = lmtp.say(f"RCPT TO:<{first.fqdn_listname}>")
            unknown = lmtp.say(f"RCPT TO:<{NOBODY}@{first.mail_host}>")
            lmtp.say("QUIT")
    except OSError as error:
        yield bad(f"LMTP does not answer on {listen}: {error}", START)
        return
    if known[0] != 250:
        yield bad(f"LMTP refuses {first.fqdn_listname}: {known[0]} {known[1]}", "The service's log says why")
    elif unknown[0] < 500:
        yield bad(f"LMTP answers {unknown[0]} for an address that is none", "The service's log says why")
    else:
        yield ok(f"LMTP answers on {listen}, takes {first.fqdn_listname} and refuses what is no list's")


def _maps(listen: Listen) -> Finding:
    try:
        with socket.create_connection((host_of(listen), listen.port), TIMEOUT_SECONDS) as client:
            client.sendall(b"9:domains x,")
            answer = client.recv(100)
    except OSError as error:
        return bad(f"the maps do not answer on {listen}: {error}", START)
    if b":NOTFOUND " not in answer:
        return bad(f"the maps answer {answer!r} on {listen}", "The service's log says why")
    return ok(f"the maps answer on {listen}")
