"""The listener with real sockets: what a client that is slow, greedy, cut off or encrypted gets."""

import asyncio
import contextlib
import datetime as dt
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from postroad.mailflow.intake.events import Reply
from postroad.mailflow.intake.limits import Limits
from postroad.mailflow.intake.server import Listener, serve

pytestmark = pytest.mark.sqlite_only

SMALL = Limits(size=100_000, gathered=150_000, connections=3)
MAIL = b"Subject: hello\r\n\r\nhi\r\n"


class Keeper:
    """Takes mail for `ant`; keeps it in memory once `gate` is open, or fails."""

    def __init__(self) -> None:
        self.mails = []
        self.gate = threading.Event()
        self.gate.set()
        self.asked = threading.Event()

    def is_known(self, address):
        return address == "ant@example.com"

    async def recipient(self, address, mail_from):
        if address == "broken@example.com":
            raise RuntimeError("something nobody foresaw")
        return None if address.startswith("ant") else Reply(550, "5.1.1", "No such list here")

    async def message(self, transaction):
        self.asked.set()
        await asyncio.get_running_loop().run_in_executor(None, self.gate.wait, 10)
        if b"explode" in transaction.data:
            raise RuntimeError("something nobody foresaw")
        self.mails.append(transaction)
        return [Reply(250, "2.0.0", "OK")] * len(transaction.recipients)


class Server:
    """A listener on a loop of its own."""

    def __init__(self, limits=SMALL, context=None) -> None:
        self.keeper = Keeper()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        opening = serve("127.0.0.1", 0, "lmtp", limits, self.keeper, "mx.example.com", context)
        self.listener: Listener = self.run(opening)

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def client(self) -> smtplib.LMTP:
        lmtp = smtplib.LMTP("127.0.0.1", self.listener.port)
        lmtp.ehlo("client.example")
        return lmtp

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.listener.port), timeout=10)

    def close(self) -> None:
        self.keeper.gate.set()
        self.loop.call_soon_threadsafe(self.listener.close)
        self.run(self.listener.wait_closed(1))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def until_closed(connection: socket.socket) -> bytes:
    said = b""
    while data := connection.recv(65536):
        said += data
    return said


def test_a_mail_goes_in_and_the_banner_names_the_site(server):
    with server.raw() as raw:
        assert raw.recv(200).startswith(b"220 mx.example.com LMTP")
    with server.client() as lmtp:
        lmtp.sendmail("anne@example.net", ["ant@example.com"], MAIL)
    assert [mail.data for mail in server.keeper.mails] == [MAIL]


def test_a_decision_that_fails_is_temporary_and_the_session_goes_on(server):
    with server.client() as lmtp:
        lmtp.mail("anne@example.net")
        assert lmtp.rcpt("broken@example.com")[0] == 451
        assert lmtp.rcpt("ant@example.com")[0] == 250
        lmtp.rset()
        with pytest.raises(smtplib.SMTPDataError, match=r"4\.3\.0"):
            lmtp.sendmail("anne@example.net", ["ant@example.com"], b"explode")
        lmtp.sendmail("anne@example.net", ["ant@example.com"], MAIL)
    assert len(server.keeper.mails) == 1


def test_one_connection_too_many_is_asked_to_come_back(server):
    clients = [server.client() for _ in range(SMALL.connections)]
    with server.raw() as raw:
        assert until_closed(raw).startswith(b"421 4.7.0 ")
    clients.pop().quit()
    server.client().quit()
    for client in clients:
        client.quit()


def test_who_says_nothing_is_told_and_cut():
    server = Server(replace(SMALL, command_seconds=0.2))
    try:
        with server.raw() as raw:
            assert b"421 4.4.2 " in until_closed(raw)
    finally:
        server.close()


def test_large_mails_at_once_are_put_off_and_not_held(server):
    """Two mails that together are more than all clients may make us hold: one is taken, the other comes later."""
    first, second = server.client(), server.client()
    for lmtp in (first, second):
        lmtp.mail("anne@example.net")
        lmtp.rcpt("ant@example.com")
        assert lmtp.docmd("DATA")[0] == 354
    line = b"x" * 78 + b"\r\n"
    first.send(line * 1200)
    wait(server, lambda: server.listener.gathered >= 96_000)
    second.send(line * 1200)
    second.send(b".\r\n")
    assert second.getreply()[0] == 452
    first.send(b".\r\n")
    assert first.getreply()[0] == 250
    second.sendmail("anne@example.net", ["ant@example.com"], line * 1200)
    first.quit()
    second.quit()
    wait(server, lambda: server.listener.gathered == 0)


def test_a_client_that_goes_in_the_middle_leaves_nothing(server):
    lmtp = server.client()
    lmtp.mail("anne@example.net")
    lmtp.rcpt("ant@example.com")
    lmtp.docmd("DATA")
    lmtp.send(MAIL)
    lmtp.close()
    wait(server, lambda: not server.listener.connections)
    assert server.listener.gathered == 0
    assert server.keeper.mails == []


def test_a_mail_that_is_being_kept_survives_its_client_and_a_stop(server):
    server.keeper.gate.clear()
    lmtp = server.client()
    lmtp.mail("anne@example.net")
    lmtp.rcpt("ant@example.com")
    lmtp.docmd("DATA")
    lmtp.send(MAIL + b".\r\n")
    assert server.keeper.asked.wait(10)
    lmtp.close()
    server.loop.call_soon_threadsafe(server.listener.close)
    server.keeper.gate.set()
    server.run(server.listener.wait_closed(10))
    assert len(server.keeper.mails) == 1


def test_a_stop_tells_idle_clients(server):
    with server.raw() as raw:
        raw.recv(200)
        server.loop.call_soon_threadsafe(server.listener.close)
        assert until_closed(raw).startswith(b"421 4.3.2 ")


def wait(server: Server, what) -> None:
    """Let the server's loop run until this is true."""

    async def watch() -> None:
        async with asyncio.timeout(10):
            while not what():  # noqa: ASYNC110 — it waits for what others change
                await asyncio.sleep(0.005)

    server.run(watch())


# --- STARTTLS (RFC 3207)


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1, and a context that believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx.example.com")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("mx.example.com")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "cert.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


@pytest.fixture
def tls_server(certificate) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    made = Server(context=context)
    yield made
    made.close()


def encrypted(raw: socket.socket, certificate) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(certificate))
    return context.wrap_socket(raw, server_hostname="mx.example.com")


def test_a_mail_goes_in_by_tls_and_tls_is_offered_once(tls_server, certificate):
    lmtp = tls_server.client()
    assert lmtp.has_extn("starttls")
    assert lmtp.docmd("STARTTLS")[0] == 220
    lmtp.sock = encrypted(lmtp.sock, certificate)
    lmtp.file = None
    lmtp.ehlo("client.example")
    assert not lmtp.has_extn("starttls")
    lmtp.sendmail("anne@example.net", ["ant@example.com"], MAIL)
    lmtp.quit()
    assert len(tls_server.keeper.mails) == 1


def test_what_stands_behind_starttls_in_the_clear_is_forgotten(tls_server, certificate):
    """Somebody in the middle puts commands behind STARTTLS: they must not be answered inside the session."""
    raw = tls_server.raw()
    raw.recv(200)
    raw.sendall(b"LHLO x\r\nSTARTTLS\r\nMAIL FROM:<evil@example.net>\r\n")
    said = b""
    while b"220 2.0.0" not in said:
        said += raw.recv(4096)
    with encrypted(raw, certificate) as tls:
        tls.sendall(b"NOOP\r\n")
        assert tls.recv(200) == b"250 2.0.0 OK\r\n"
        tls.sendall(b"RCPT TO:<ant@example.com>\r\n")
        assert tls.recv(200).startswith(b"503 ")


def test_a_handshake_that_fails_ends_the_connection_and_no_other(tls_server):
    with tls_server.raw() as raw:
        raw.recv(200)
        raw.sendall(b"LHLO x\r\nSTARTTLS\r\n")
        while b"220 2.0.0" not in raw.recv(4096):
            pass
        raw.sendall(b"this is no TLS\r\n" * 20)
        with contextlib.suppress(ConnectionResetError):
            until_closed(raw)
    tls_server.client().quit()
