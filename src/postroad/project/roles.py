"""What each process of a site does: `mail` takes and judges, `delivery` sends, `http` shows."""

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from postroad.foundation.configuration import Configuration, current
from postroad.foundation.queue.actions import release_claims
from postroad.foundation.queue.schedule import Scheduler
from postroad.foundation.queue.worker import Worker
from postroad.project.supervisor import Role

log = logging.getLogger("postroad.roles")

Ready = Callable[[], None]


def mail(ready: Ready, doors: Sequence[socket.socket] = ()) -> None:
    """Listen for LMTP (at sockets that are open already, where there are any), work through stages and tasks."""
    from postroad.mailflow.intake import map_files
    from postroad.mailflow.timetable import FETCHES, GATEWAYS, HOOKS, ISSUES, LOOKUPS, STAGES, TASKS

    # Who accepts mail shares the interpreter with who works on it; a long turn of one is a late reply of the other.
    sys.setswitchinterval(0.0005)
    workers = [
        Worker("mail", STAGES), Worker("gateways", GATEWAYS), Worker("lookups", LOOKUPS), Worker("issues", ISSUES),
        Worker("fetches", FETCHES), Worker("hooks", HOOKS),
    ]  # fmt: skip
    for worker in workers:
        release_claims(worker.name)
    map_files.rewrite()
    if current().site.shadow:
        log.warning("a shadow of an old site that lives on: no digests, reminders or news until `import … --cut-over`")
    loops: list[Worker | Scheduler] = [*workers, Scheduler(() if current().site.shadow else TASKS)]
    threads = [threading.Thread(target=_or_end, args=(loop.run,), name=type(loop).__name__) for loop in loops]
    for thread in threads:
        thread.start()
    try:
        asyncio.run(_listen(ready, doors))
    finally:
        for loop in loops:
            loop.stop()
        for thread in threads:
            thread.join()


def _or_end(run: Callable[[], None]) -> None:
    """Run a loop; should it fail, the process ends and is started anew, rather than go on without it."""
    try:
        run()
    except Exception:
        log.exception("%s failed; the process ends", threading.current_thread().name)
        os._exit(3)


async def _listen(ready: Ready, doors: Sequence[socket.socket]) -> None:
    from postroad.mailflow.intake.limits import Limits
    from postroad.mailflow.intake.maps import Maps
    from postroad.mailflow.intake.server import serve
    from postroad.mailflow.intake.worker import Intake

    lmtp = current().lmtp
    intake = Intake()
    limits = Limits(
        size=lmtp.max_size, recipients=lmtp.max_recipients, connections=lmtp.max_connections,
        command_seconds=lmtp.idle_seconds,
    )  # fmt: skip
    server = await serve(
        lmtp.listen.host, lmtp.listen.port, "lmtp", limits, intake, current().mail_hostname, _certificate(current()),
        doors,
    )  # fmt: skip
    maps = Maps()
    if (listen := current().maps.listen) is not None:
        await maps.open(listen)
    ready()
    await _terminated().wait()
    maps.close()
    server.close()
    await server.wait_closed()
    intake.close()


def _certificate(configuration: Configuration) -> ssl.SSLContext | None:
    if not configuration.lmtp.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(configuration.lmtp.certificate, configuration.lmtp.key or None)
    return context


def delivery(ready: Ready) -> None:
    """Send what is prepared."""
    from postroad.mailflow.delivery.worker import Delivery

    async def run() -> None:
        engine = Delivery()
        stop = _terminated()
        ready()
        await engine.run(stop)

    asyncio.run(run())


def http(ready: Ready) -> None:
    """Serve pages and REST."""
    from postroad.project.http import serve

    async def run() -> None:
        await serve(ready, _terminated())

    asyncio.run(run())


def _terminated() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    return event


ROLES: Mapping[str, Role] = {"mail": mail, "delivery": delivery, "http": http}
