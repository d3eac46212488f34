"""Each thing that is wrong is found by the doctor and named with its remedy; nothing else is."""

import contextlib
import dataclasses
import os
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from postroad.community.lists import actions as lists
from postroad.foundation.queue.models import Job, TaskRun
from postroad.foundation.sections import Listen
from postroad.mailflow.delivery import signing_keys
from postroad.project.doctor import (
    backups,
    certificates,
    clock,
    configured,
    disk,
    domains,
    queues,
    relay,
    service,
    versions,
)
from postroad.project.doctor.checks import CHECKS, examine
from tests.stories.sink import Sink

pytestmark = pytest.mark.django_db


@pytest.fixture
def configure(settings, tmp_path):
    """Change keys of postroad.toml: configure(smtp={"port": 26})."""

    def configure(**sections):
        made = settings.POSTROAD
        for name, keys in sections.items():
            made = dataclasses.replace(made, **{name: dataclasses.replace(getattr(made, name), **keys)})
        settings.POSTROAD = made

    return configure


@pytest.fixture
def ants():
    lists.create_domain("lists.example.org")
    return lists.create_list("ants@lists.example.org")


def wrong(look):
    return [finding.what for finding in look() if finding.state == "bad"]


def test_every_bad_finding_has_a_remedy(ants, configure, name_server):
    configure(smtp={"host": "127.0.0.1", "port": 1})
    found = list(examine())
    assert {name for name, _ in found} >= {"versions", "settings", "service", "dns", "disk", "backups", "clock"}
    assert [f.what for _, f in found if f.state == "bad" and not f.remedy] == []


def test_a_check_that_fails_is_a_finding_and_stops_no_other(monkeypatch):
    def look():
        raise RuntimeError("broken")

    monkeypatch.setattr("postroad.project.doctor.checks.CHECKS", (("first", look), CHECKS[-1]))
    found = list(examine())
    assert found[0][1].what == "could not be looked at: RuntimeError: broken"
    assert found[1][0] == "clock"


# --- what runs


def test_versions_are_told_and_an_old_engine_is_named(monkeypatch):
    assert wrong(versions.look) == []
    monkeypatch.setattr(versions, "_engine_version", lambda: (3, 7, 1))
    assert "is too old" in wrong(versions.look)[0]


def test_a_stopped_service_is_named(configure):
    configure(lmtp={"listen": Listen("127.0.0.1", 1)})
    assert wrong(service.look) == ["the service does not run on this machine"]


def test_settings_that_must_not_stay_as_they_came(configure, settings):
    configure(rest={"password": "restpass"})
    settings.POSTROAD.file.chmod(0o644)
    told = " ".join(wrong(configured.look))
    settings.POSTROAD.file.chmod(0o600)
    for words in (
        "only this machine reaches",
        "[site] owner is still",
        "[rest] password is short",
        "can be read by others",
    ):
        assert words in told
    configure(rest={"password": "a" * 20}, site={"base_url": "https://lists.example.org", "owner": "olga@example.org"})
    assert wrong(configured.look) == []
    assert "behind the proxy all visitors are one" in " ".join(found.what for found in configured.look())
    configure(web={"trust_forwarded": True})
    assert "proxy" not in " ".join(found.what for found in configured.look())
    configure(site={"base_url": "http://lists.example.org"})
    assert "without TLS" in wrong(configured.look)[0]


# --- relay


def listener(*lines):
    """A server that says these lines, each as an answer to a line, the first as its greeting; its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        client, _ = server.accept()
        with client, server, contextlib.suppress(OSError):  # Who is told enough goes away.
            for line in lines:
                client.sendall(line)
                client.recv(1000)

    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()[1]


def test_a_relay_that_answers_is_fine_and_one_that_does_not_is_named(configure):
    sink = Sink()
    configure(smtp={"host": "127.0.0.1", "port": sink.port})
    assert wrong(relay.look) == []
    sink.close()
    assert "does not answer: " in wrong(relay.look)[0]


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ((b"554 go away\r\n",), "greets with 554 go away"),
        ((b"HTTP/1.1 400 Bad\r\n",), "no reply but 'HTTP/1.1 400 Bad'"),
        ((b"220 x\r\n", b"502 no\r\n", b"221 bye\r\n"), "refuses EHLO: 502 no"),
        ((b"220 x\r\n", b"250-x\r\n250 SIZE 1000\r\n", b"221 bye\r\n"), "offers no STARTTLS"),
        ((b"220-x\r\n" * 9000,), "a reply without end"),
        ((b"",), "does not answer"),
    ],
)
def test_a_relay_that_does_not_do_its_part_is_named(configure, says, told):
    configure(smtp={"host": "127.0.0.1", "port": listener(*says), "security": "starttls"})
    assert told in wrong(relay.look)[0]


def test_a_relay_that_takes_smaller_mails_than_we_do_is_noted(configure):
    port = listener(b"220 x\r\n", b"250-x\r\n250 SIZE 1000\r\n", b"221 bye\r\n")
    configure(smtp={"host": "127.0.0.1", "port": port})
    assert any("1,000 bytes at most" in finding.what for finding in relay.look() if finding.state == "note")


# --- DNS


def test_a_host_without_any_record_has_four_faults(ants, name_server):
    told = wrong(domains.look)
    assert [text.split()[0] for text in told] == ["mail", "lists.example.org", "mail", "lists.example.org"]
    assert "SPF" in told[1]
    assert "not signed" in told[2]
    assert "DMARC" in told[3]


def test_a_host_with_all_records_has_none(ants, name_server):
    keys = signing_keys.make("lists.example.org", ["ed25519"])
    signing_keys.use("lists.example.org", keys[0].selector)
    name_server.zone |= {
        "lists.example.org": {"MX": ["10 mx.example.org."], "TXT": ["v=spf1 mx -all"]},
        "mx.example.org": {"A": ["198.51.100.7", "8.8.4.4"]},
        "4.4.8.8.in-addr.arpa": {"PTR": ["mx.example.org."]},
        "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject"]},
        "_dmarc.lists.example.org": {"TXT": ["v=DMARC1; p=none"]},
        keys[0].record_name: {"TXT": [signing_keys.record(keys[0])]},
    }
    assert wrong(domains.look) == []
    assert any("8.8.4.4 is mx.example.org, and back" in finding.what for finding in domains.look())


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ({"TXT": ["v=spf1 +all"]}, "lets anybody send"),
        ({"TXT": ["v=spf1 all"]}, "lets anybody send"),
        ({"TXT": ["v=spf1 mx", "v=spf1 a"]}, "2 SPF records"),
        ({"TXT": ["v=spf10 mx"]}, "has no SPF record"),
    ],
)
def test_a_wrong_spf_record_is_named(ants, name_server, records, told):
    name_server.zone["lists.example.org"] = {"A": ["198.51.100.7"], **records}
    assert told in " ".join(wrong(domains.look))


def test_an_address_whose_name_leads_elsewhere_is_named(ants, name_server):
    name_server.zone |= {
        "lists.example.org": {"A": ["8.8.4.4"]},
        "4.4.8.8.in-addr.arpa": {"PTR": ["other.example.net."]},
        "other.example.net": {"A": ["192.0.2.1"]},
    }
    assert "8.8.4.4 is other.example.net, which leads elsewhere" in wrong(domains.look)


def test_a_key_in_use_that_dns_does_not_tell_is_named(ants, name_server):
    key = signing_keys.make("lists.example.org", ["ed25519"])[0]
    signing_keys.use("lists.example.org", key.selector)
    assert any("which DNS does not tell" in text for text in wrong(domains.look))


def test_a_name_server_that_is_away_is_one_finding_for_each_host(ants, name_server):
    name_server.zone["lists.example.org"] = name_server.SILENT
    assert wrong(domains.look) == ["DNS gives no answer about lists.example.org"]


# --- queue


def job(**values):
    now = time.time()
    return Job.objects.create(**{"queue": "pipeline", "due_at": now, "envelope": b"", "created_at": now, **values})


def test_a_queue_that_moves_is_fine():
    job()
    job(queue="delivery", due_at=time.time() + 3000, error="451 later")
    assert wrong(queues.look) == []


def test_what_waits_too_long_is_quarantined_or_deadly_is_named():
    now = time.time()
    job(due_at=now - 7200)
    job(state=Job.State.QUARANTINED, error="Traceback\nValueError: x")
    job(deaths=2)
    job(queue="delivery", created_at=now - 200_000, due_at=now + 60, error="451 later")
    TaskRun.objects.create(name="forget old answers", due_at=now, error="Traceback\nKeyError: 'y'")
    assert wrong(queues.look) == [
        "jobs of pipeline that have waited for up to 2 h: 1", "jobs in quarantine: 1",
        "jobs whose worker died while it held them: 1", "“forget old answers” failed at its last time: KeyError: 'y'",
    ]  # fmt: skip
    assert any("put off for more than a day" in finding.what for finding in queues.look())


# --- the machine


def test_a_disk_that_is_nearly_full_is_named(monkeypatch):
    assert wrong(disk.look) == []
    monkeypatch.setattr(disk, "LEAST_SHARE", 1.1)
    assert "GB are free" in wrong(disk.look)[0]


def test_backups_that_are_missing_or_old_are_named(configure, tmp_path):
    assert wrong(backups.look) == ["nothing tells whether backups are made"]
    configure(backup={"folder": str(tmp_path / "backups")})
    assert "there is no backup in" in wrong(backups.look)[0]
    (tmp_path / "backups").mkdir()
    file = tmp_path / "backups" / "monday"
    file.touch()
    assert wrong(backups.look) == []
    os.utime(file, (0, time.time() - 3 * 86_400))
    assert "is 3.0 days old" in wrong(backups.look)[0]


@pytest.mark.parametrize(("days", "told"), [(-1, "is over since"), (5, "ends on"), (90, "")])
def test_a_certificate_that_ends_is_named(configure, tmp_path, days, told):
    file = tmp_path / "lmtp.pem"
    file.write_bytes(certificate(datetime.now(UTC) + timedelta(days=days, hours=1)))
    configure(lmtp={"certificate": str(file)})
    found = wrong(certificates.look)
    assert (told in found[0]) if told else not found


def test_a_certificate_that_is_none_is_named(configure, tmp_path):
    file = tmp_path / "lmtp.pem"
    configure(lmtp={"certificate": str(file)})
    assert "cannot be read" in wrong(certificates.look)[0]
    file.write_text("no certificate")
    assert "cannot be read" in wrong(certificates.look)[0]


def test_pages_that_nobody_serves_by_tls_are_named(configure):
    configure(site={"base_url": "https://127.0.0.1:1"})
    assert "does not answer on port 1" in wrong(certificates.look)[0]


def certificate(end: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx.example.org")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(end - timedelta(days=200)).not_valid_after(end).sign(key, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(serialization.Encoding.PEM)


def test_the_clock_is_judged(monkeypatch):
    assert wrong(clock.look) == []
    monkeypatch.setattr(clock, "_kernel_state", lambda: 5)
    assert "follows no time server" in next(iter(clock.look())).what
