"""Mail comes in by LMTP: mails a second with 1, 8 and 64 connections, and how long a client waits for its 250.

    .venv/bin/python bench/bench_intake.py [--seconds 3] [--size 2048] [--database URL]

The listener, the queue and the disk are the real ones; nobody works on what comes in. Both sides share a machine.
"""

import argparse
import asyncio
import multiprocessing
import os
import statistics
import time
from multiprocessing.queues import Queue

from home import fresh_home

parser = argparse.ArgumentParser()
parser.add_argument("--seconds", type=float, default=3)
parser.add_argument("--size", type=int, default=2048)
parser.add_argument("--database", default="")


async def client(port: int, number: int, end: float, size: int, waits: list[float]) -> None:
    """Hand in one mail after the other, as an MTA does on a kept connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    writer.write(b"LHLO bench.example\r\n")
    while not (await reader.readline()).startswith(b"250 "):
        pass
    body = (b"x" * 70 + b"\r\n") * (size // 72)
    count = 0
    while time.monotonic() < end:
        count += 1
        head = b"From: a@example.net\r\nTo: ant@example.com\r\nMessage-ID: <%d.%d.%d@bench>\r\nSubject: %d\r\n\r\n" % (
            number, count, time.time_ns(), count,
        )  # fmt: skip
        writer.write(b"MAIL FROM:<a@example.net>\r\nRCPT TO:<ant@example.com>\r\nDATA\r\n")
        for _ in range(3):
            await reader.readline()
        asked = time.monotonic()
        writer.write(head + body + b".\r\n")
        reply = await reader.readline()
        waits.append(time.monotonic() - asked)
        assert reply.startswith(b"250 "), reply
    writer.close()


def clients(port: int, connections: int, seconds: float, size: int, results: "Queue[list[float]]") -> None:
    """The clients' process."""

    async def run() -> None:
        waits: list[float] = []
        end = time.monotonic() + seconds
        await asyncio.gather(*(client(port, number, end, size, waits) for number in range(connections)))
        results.put(waits)

    asyncio.run(run())


def main() -> None:
    options = parser.parse_args()
    if options.database:
        os.environ["POSTROAD_DATABASE_URL"] = options.database
    with fresh_home():
        from postroad.community.lists import actions as lists

        lists.create_domain("example.com")
        lists.create_list("ant@example.com")
        asyncio.run(measure(options))


async def measure(options: argparse.Namespace) -> None:
    from postroad.mailflow.intake.limits import Limits
    from postroad.mailflow.intake.server import serve
    from postroad.mailflow.intake.worker import Intake

    intake = Intake()
    listener = await serve("127.0.0.1", 0, "lmtp", Limits(), intake, "bench.example")
    print(f"{'connections':>11}{'mails/s':>10}{'p50':>10}{'p95':>10}{'p99':>10}{'CPU a mail':>13}")
    for connections in (1, 8, 64):
        context = multiprocessing.get_context("spawn")
        results: Queue[list[float]] = context.Queue()
        process = context.Process(
            target=clients, args=(listener.port, connections, options.seconds, options.size, results)
        )
        process.start()
        cpu = time.process_time()
        waits = await asyncio.to_thread(results.get)
        cpu = time.process_time() - cpu
        await asyncio.to_thread(process.join)
        cuts = statistics.quantiles(waits, n=100)
        shown = "".join(f"{cuts[at] * 1000:>7.2f} ms" for at in (49, 94, 98))
        print(f"{connections:>11}{len(waits) / options.seconds:>10,.0f}{shown}{cpu / len(waits) * 1e6:>10.0f} us")
    listener.close()
    await listener.wait_closed()
    intake.close()


if __name__ == "__main__":
    main()
