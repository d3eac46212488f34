"""Copies per second and CPU per copy of our SMTP client against smtplib's, same sink, same run.

    python bench/bench_smtp_client.py [--sink smtp-sink | --sink fastsink-binary] [--copies 30000]

The sink is Postfix's smtp-sink or a program called as `PROGRAM HOST PORT CONTROL_PORT`.
"""

import argparse
import asyncio
import os
import shutil
import smtplib
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from postroad.mailflow.delivery.client import Copy, Outcome, Relay
from postroad.mailflow.delivery.pool import Pool

LINE = b"The quick brown fox jumps over the lazy dog and looks for its list.\r\n"
MESSAGE = b"From: a@example.org\r\nTo: l@example.org\r\nSubject: bench\r\n\r\n" + LINE * 36
CONNECTIONS = 4


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_sink(program: str) -> tuple[subprocess.Popen[bytes], int]:
    port = free_port()
    if Path(program).name == "smtp-sink":
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        command = [program, *user, f"127.0.0.1:{port}", "1000"]
    else:
        command = [program, "127.0.0.1", str(port), str(free_port())]
    process = subprocess.Popen(command)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return process, port


def with_smtplib(port: int, copies: int) -> tuple[float, float]:
    def run(share: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as relay:
            for number in range(share):
                relay.sendmail(f"list-bounces+{number}@example.org", [f"u{number}@example.net"], MESSAGE)

    began, cpu = time.perf_counter(), time.process_time()
    threads = [threading.Thread(target=run, args=(copies // CONNECTIONS,)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return copies / (time.perf_counter() - began), (time.process_time() - cpu) / copies * 1e6


def make_copies(count: int) -> Iterator[Copy]:
    for number in range(count):
        yield Copy(number, f"list-bounces+{number}@example.org", (f"u{number}@example.net",), MESSAGE)


def with_pool(port: int, copies: int) -> tuple[float, float]:
    delivered = 0

    def count(outcomes: list[Outcome]) -> None:
        nonlocal delivered
        delivered += sum(outcome.kind == "delivered" for outcome in outcomes)

    async def run() -> tuple[float, float]:
        pool = Pool(Relay("127.0.0.1", port), CONNECTIONS, count)
        began, cpu = time.perf_counter(), time.process_time()
        unsent = await pool.submit(make_copies(copies))
        figures = copies / (time.perf_counter() - began), (time.process_time() - cpu) / copies * 1e6
        await pool.close()
        assert not unsent
        assert delivered == copies
        return figures

    return asyncio.run(run())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sink", default=shutil.which("smtp-sink") or "/usr/sbin/smtp-sink")
    parser.add_argument("--copies", type=int, default=30000)
    options = parser.parse_args()
    process, port = start_sink(options.sink)
    try:
        with_pool(port, 2000)
        ours = max(with_pool(port, options.copies) for _ in range(2))
        theirs = with_smtplib(port, options.copies // 5)
    finally:
        process.kill()
        process.wait()
    print(f"sink {Path(options.sink).name}, {len(MESSAGE)} octets, 1 recipient, {CONNECTIONS} connections")
    for name, (rate, cpu) in (("pool", ours), ("smtplib", theirs)):
        print(f"{name:8} {rate:8.0f} copies/s  {cpu:6.1f} us CPU per copy")
    print(f"ratio    {ours[0] / theirs[0]:8.1f} x rate  {theirs[1] / ours[1]:6.1f} x less CPU")


if __name__ == "__main__":
    main()
