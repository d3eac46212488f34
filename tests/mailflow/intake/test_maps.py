"""The MTA is told what is a list's address: live, or by files that are whole at any time."""

import asyncio
import dataclasses

import pytest
from django.db import OperationalError

from postroad.community.lists import actions
from postroad.foundation.errors import TryLater
from postroad.foundation.sections import Listen, Maps
from postroad.mailflow.intake import map_files, maps
from postroad.mailflow.intake.socketmap import NOT_FOUND, Question, found


@pytest.fixture
def ants(db):
    actions.create_domain("lists.example.com")
    return actions.create_list("ants@lists.example.com")


def ask(name, key, reached_at="192.0.2.1"):
    return maps.answer(Question(name, key), reached_at)


def test_every_address_of_a_list_is_known_and_no_other(ants):
    known = ["ants", "Ants", "ants-owner", "ants-unsubscribe", "ants-bounces+anna=example.org=ab12", "ants+extra"]
    for local in known:
        assert ask("recipients", f"{local}@lists.example.com") == found("OK"), local
    for key in ("bees@lists.example.com", "ants-nothing@lists.example.com", "ants@example.com", "@lists.example.com",
                "ants", "", "\0@lists.example.com", "ü@lists.example.com"):  # fmt: skip
        assert ask("recipients", key) == NOT_FOUND, key


def test_the_transport_is_where_lmtp_listens(ants, settings):
    assert ask("transport", "ants@lists.example.com") == found("lmtp:inet:[127.0.0.1]:8024")
    assert ask("transport", "bees@lists.example.com") == NOT_FOUND
    everywhere = dataclasses.replace(settings.POSTROAD.lmtp, listen=Listen("0.0.0.0", 24))
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, lmtp=everywhere)
    assert ask("transport", "ants@lists.example.com") == found("lmtp:inet:[192.0.2.1]:24")


def test_a_domain_is_known_by_its_alias_too(ants):
    actions.change_domain(ants.domain, alias_domain="mx.example.net")
    for host in ("lists.example.com", "LISTS.example.com", "mx.example.net"):
        assert ask("domains", host) == found(host)
    assert ask("domains", "example.com") == NOT_FOUND
    assert ask("recipients", "ants-join@mx.example.net") == found("OK")


def test_what_nobody_can_know_now_is_temporary(ants, monkeypatch):
    """Postfix answers 4xx to TEMP, so no sender is told a lie."""
    assert ask("aliases", "ants@lists.example.com").partition(b":")[2].startswith(b"TEMP no such map")

    def away(_):
        raise OperationalError("database is locked")

    monkeypatch.setattr(maps, "resolve", away)
    assert b":TEMP the database is away," in ask("recipients", "ants@lists.example.com")


async def talk(*pieces: bytes, half_close: bool = False) -> bytes:
    """What the listener answers, read to its end."""
    listening = maps.Maps()
    await listening.open(Listen("127.0.0.1", 0))
    reader, writer = await asyncio.open_connection(*listening._server.sockets[0].getsockname())
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    if half_close:
        writer.write_eof()
    said = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    listening.close()
    return said


@pytest.mark.django_db(transaction=True)
def test_a_client_gets_its_answers_in_order_and_an_end():
    actions.create_domain("lists.example.com")
    wire = b"".join(b"%d:domains %s," % (len(host) + 8, host) for host in (b"lists.example.com", b"x.org") * 100)
    said = asyncio.run(talk(wire, half_close=True))
    assert said == (found("lists.example.com") + NOT_FOUND) * 100
    assert asyncio.run(talk(b"HELO there\r\n")) == b""


# --- files


def written(folder, **more):
    settings = Maps(files="postfix", type="regex")
    return map_files.write(folder, dataclasses.replace(settings, **more))


def lines(path):
    return [line.split() for line in path.read_text().splitlines() if line and not line.startswith("#")]


PARTS = ("", "-bounces", "-confirm", "-join", "-leave", "-owner", "-request", "-subscribe", "-unsubscribe")


def test_postfix_reads_nine_addresses_for_each_list(ants, tmp_path):
    written(tmp_path, type="hash", postmap="true")
    goal = "lmtp:inet:[127.0.0.1]:8024"
    assert lines(tmp_path / "postfix_lmtp") == [[f"ants{part}@lists.example.com", goal] for part in PARTS]
    assert lines(tmp_path / "postfix_domains") == [["lists.example.com", "lists.example.com"]]
    assert not (tmp_path / "postfix_vmap").exists()


def test_as_regular_expressions_every_letter_means_itself(db, tmp_path):
    actions.create_domain("lists.example.com")
    actions.create_list("c.s-x@lists.example.com")
    written(tmp_path)
    keys = [key for key, _ in lines(tmp_path / "postfix_lmtp")]
    assert keys[:2] == [r"/^c\.s\-x@lists\.example\.com$/", r"/^c\.s\-x\-bounces(\+.*)?@lists\.example\.com$/"]
    assert lines(tmp_path / "postfix_domains") == [[r"/^lists\.example\.com$/", "lists.example.com"]]


def test_a_domain_with_an_alias_is_rewritten_to_it(ants, tmp_path):
    actions.change_domain(ants.domain, alias_domain="mx.example.net")
    written(tmp_path, type="hash", postmap="true")
    assert lines(tmp_path / "postfix_lmtp")[0][0] == "ants@mx.example.net"
    assert lines(tmp_path / "postfix_domains") == [["mx.example.net", "lists.example.com"]]
    assert lines(tmp_path / "postfix_vmap")[1] == ["ants-bounces@lists.example.com", "ants-bounces@mx.example.net"]
    actions.change_domain(ants.domain, alias_domain=None)
    written(tmp_path, type="hash", postmap="true")
    assert not (tmp_path / "postfix_vmap").exists()


def test_a_file_that_would_not_change_is_left_alone(ants, tmp_path):
    postmap = f'sh -c \'echo "$0" >> {tmp_path}/calls; touch "${{0#*:}}.db"\''
    written(tmp_path, type="hash", postmap=postmap)
    before = (tmp_path / "postfix_lmtp").stat()
    written(tmp_path, type="hash", postmap=postmap)
    after = (tmp_path / "postfix_lmtp").stat()  # Not as a whole: to be read counts as access.
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    actions.create_list("bees@lists.example.com")
    written(tmp_path, type="hash", postmap=postmap)
    calls = (tmp_path / "calls").read_text().split()
    assert calls == [f"hash:{tmp_path}/postfix_{name}" for name in ("lmtp", "domains", "lmtp")]


def test_postmap_that_fails_is_told(ants, tmp_path):
    with pytest.raises(TryLater, match="exit code 1"):
        written(tmp_path, type="hash", postmap="false")
    with pytest.raises(TryLater, match="No such file"):
        written(tmp_path, type="hash", postmap="/nowhere/postmap")


def test_exim_finds_a_folder_for_each_list(ants, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    written(tmp_path, files="exim")
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"ants.lists.example.com", "mine"}
    actions.delete_list(ants)
    written(tmp_path, files="exim")
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"mine"}


@pytest.mark.django_db(transaction=True)
def test_files_follow_lists_that_come_and_go(settings, tmp_path):
    """By whatever way: the verb itself sees to it. A folder that cannot be written harms no list."""
    wanted = Maps(files="postfix", type="regex", folder=str(tmp_path / "maps"))
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, maps=wanted)
    domain = actions.create_domain("lists.example.com")
    made = actions.create_list("ants@lists.example.com")
    assert "ants@" in (tmp_path / "maps" / "postfix_lmtp").read_text()
    actions.delete_list(made)
    assert "ants@" not in (tmp_path / "maps" / "postfix_lmtp").read_text()
    shadow = dataclasses.replace(settings.POSTROAD.site, shadow=True)  # There, they are a living Mailman's.
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, site=shadow)
    actions.create_list("wasps@lists.example.com")
    assert "wasps@" not in (tmp_path / "maps" / "postfix_lmtp").read_text()
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, site=dataclasses.replace(shadow, shadow=False))
    wanted = dataclasses.replace(wanted, folder="/proc/nowhere")
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, maps=wanted)
    assert actions.create_list("bees@lists.example.com").pk
    actions.delete_domain(domain)
