"""Calls of REST a second, one client on a kept connection, against `postroad serve` in a throw-away home.

python bench/bench_rest.py [--members 5000] [--everybody 100000] [--seconds 3] [--database postgresql://…]

The list asked about has `--members` members, the site `--everybody`. The first line is the same client against a call
that does nearly nothing: no other figure can be better. `CPU ms` is what the site's processes used for a call, without
a database server's part: it tells most on a machine that is not quiet.
"""

import argparse
import base64
import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

PASSWORD = "benchpass"
ONE, MANY = "pack.lists.example.com", "everybody.lists.example.com"


class Client:
    """One kept HTTP/1.1 connection; nothing is parsed beyond the status and the length."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        credential = base64.b64encode(f"restadmin:{PASSWORD}".encode()).decode()
        self.head = f"Host: localhost\r\nAuthorization: Basic {credential}\r\n"

    def call(self, method: str, path: str, **form: str) -> bytes:
        body = urlencode(form)
        kind = "Content-Type: application/x-www-form-urlencoded\r\n" if form else ""
        self.socket.sendall(
            f"{method} /3.1/{path} HTTP/1.1\r\n{self.head}{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, data = data.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        while len(data) < length:
            data += self._more()
        if lines[0].split()[1] not in (b"200", b"201", b"204"):
            raise RuntimeError(f"{method} {path}: {lines[0].decode()} {data.decode()[:300]}")
        return data

    def _more(self) -> bytes:
        chunk = self.socket.recv(1 << 16)
        if not chunk:
            raise RuntimeError("the server closed the connection")
        return chunk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=5000)
    parser.add_argument("--everybody", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--only", default="", help="a part of the names of what to measure")
    parser.add_argument(
        "--database", help="a PostgreSQL server's URL; the database `postroad_bench` is made anew there"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        port = write_configuration(home, options.database)
        environment = {**os.environ, "POSTROAD_HOME": folder, "DJANGO_SETTINGS_MODULE": "postroad.project.settings"}
        serve = [Path(sys.executable).with_name("postroad"), "serve", "--home", folder]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as site:
            try:
                assert site.stdout is not None
                assert site.stdout.readline() == "ready\n"
                people = f"{options.members},{options.everybody}"
                subprocess.run([sys.executable, __file__, "--seed", people], env=environment, check=True)
                measure(site.pid, port, options.members, options.everybody, options.seconds, options.only)
            finally:
                site.terminate()


def write_configuration(home: Path, server: str | None) -> int:
    """A home on free ports; the port of REST."""
    ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    web, rest, lmtp = (listener.getsockname()[1] for listener in ports)
    for listener in ports:
        listener.close()
    database = "sqlite:///postroad.db"
    if server:
        import psycopg

        database = f"{server.rpartition('/')[0]}/postroad_bench"
        with psycopg.connect(f"{server.rpartition('/')[0]}/postgres", autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS postroad_bench WITH (FORCE)")
            connection.execute("CREATE DATABASE postroad_bench")
    (home / "postroad.toml").write_text(
        f'[database]\nurl = "{database}"\n[web]\nlisten = "127.0.0.1:{web}"\n[lmtp]\nlisten = "127.0.0.1:{lmtp}"\n'
        f'[rest]\nlisten = "127.0.0.1:{rest}"\npassword = "{PASSWORD}"\n[smtp]\nhost = ""\n'
    )
    return rest


def seed(members: int, everybody: int) -> None:
    """Two lists, one of `members` and one of everybody."""
    import django

    django.setup()
    from django.db import connection, transaction

    from postroad.community.lists.actions import create_domain, create_list
    from postroad.community.people.models import Address, User
    from postroad.community.subscriptions.models import Member

    with transaction.atomic():
        create_domain("lists.example.com")
        pack, all_of_them = create_list("pack@lists.example.com"), create_list("everybody@lists.example.com")
        for number in range(98):
            create_list(f"small{number}@lists.example.com")
        names = [f"member{number:06d}" for number in range(everybody)]
        users = User.objects.bulk_create([User(display_name=name, password="!") for name in names], 2000)
        addresses = Address.objects.bulk_create(
            [
                Address(email=f"{name}@mail.example.com", original_email=f"{name}@mail.example.com", user=user)
                for name, user in zip(names, users, strict=True)
            ],
            2000,
        )
        # Every third by address of a shuffled few, so that a roster's order is not that of its rows.
        few = random.Random(1).sample(addresses, members)
        Member.objects.bulk_create([Member(mailing_list=pack, address=address) for address in few], 2000)
        Member.objects.bulk_create([Member(mailing_list=all_of_them, address=address) for address in addresses], 2000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def cpu_seconds(parent: int) -> float:
    """What the processes that `parent` started have used of the processors."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(pid: int, port: int, members: int, everybody: int, seconds: float, only: str) -> None:
    client, choose = Client(port), random.Random(2)
    run, count = f"{time.time():.0f}", iter(range(10**9))

    def anybody() -> str:
        return f"member{choose.randrange(everybody):06d}"

    def add() -> None:
        client.call(
            "POST", "members", list_id=MANY, subscriber=f"s{run}-{next(count)}@mail.example.com", display_name="S",
            pre_verified="true", pre_confirmed="true", pre_approved="true", send_welcome_message="false",
        )  # fmt: skip

    def add_and_tell() -> None:
        if not json.loads(client.call("GET", "webhooks"))["total_size"]:
            # An address inside is told nothing, but everything up to there is done.
            client.call("POST", "webhooks", url="http://127.0.0.1:1/", events="member.joined")
            time.sleep(6)  # Other processes look for webhooks now and then.
        add()

    member = json.loads(client.call("GET", f"lists/{ONE}/roster/member?count=1&page=1"))["entries"][0]["member_id"]
    calls: dict[str, Callable[[], object]] = {
        "system/versions": lambda: client.call("GET", "system/versions"),
        "list config": lambda: client.call("GET", f"lists/{ONE}/config"),
        f"roster page of 50 from {members}": lambda: client.call(
            "GET", f"lists/{ONE}/roster/member?count=50&page={choose.randint(1, members // 50)}"
        ),
        f"roster page of 50 from {everybody}": lambda: client.call(
            "GET", f"lists/{MANY}/roster/member?count=50&page={choose.randint(1, everybody // 50)}"
        ),
        "member of a list by address": lambda: client.call("GET", f"lists/{MANY}/member/{anybody()}@mail.example.com"),
        "find an address": lambda: client.call("GET", f"members/find?subscriber={anybody()}@mail.example.com"),
        "find a part, page of 50": lambda: client.call(
            "GET", f"members/find?subscriber=*{anybody()[3:]}*&count=50&page=1"
        ),
        "find a part on a list": lambda: client.call(
            "GET", f"members/find?list_id={MANY}&subscriber=*{anybody()[3:]}*&count=50&page=1"
        ),
        "find users by a part": lambda: client.call("GET", f"users/find?q={anybody()[3:]}"),
        "lists, page of 10": lambda: client.call("GET", "lists?count=10&page=1"),
        "held posts": lambda: client.call("GET", f"lists/{ONE}/held"),
        "preferences changed": lambda: client.call(
            "PATCH", f"members/{member}/preferences", delivery_status=choose.choice(["enabled", "by_user"])
        ),
        "member added": add,
        "member added, a webhook is told": add_and_tell,
    }
    print(f"{'':36}{'calls/s':>9}{'p50 ms':>9}{'p95 ms':>9}{'CPU ms':>9}")
    for name, call in calls.items():
        if only not in name:
            continue
        for _ in range(20):
            call()
        times: list[float] = []
        used, began = cpu_seconds(pid), time.perf_counter()
        while (now := time.perf_counter()) - began < seconds:
            call()
            times.append(time.perf_counter() - now)
        used = 1000 * (cpu_seconds(pid) - used) / len(times)
        times.sort()
        p50, p95 = times[len(times) // 2], times[len(times) * 95 // 100]
        print(f"{name:36}{len(times) / sum(times):9,.0f}{1000 * p50:9.2f}{1000 * p95:9.2f}{used:9.2f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--seed"]:
        seed(*map(int, sys.argv[2].split(",")))
    else:
        main()
