"""What one session says, and what it makes of every answer; real sockets, a relay that speaks from a script."""

import asyncio
import base64
import datetime as dt
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from postroad.mailflow.delivery.client import Copy, Outcome
from postroad.mailflow.delivery.pool import Pool

pytestmark = pytest.mark.sqlite_only

BODY = b"Subject: x\r\n\r\nhello\r\n"
FULL = ("PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8")


def copy(key: int = 1, *recipients: str, data=BODY, sender: str = "l-bounces@example.org") -> Copy:
    return Copy(key, sender, recipients or (f"u{key}@example.net",), data)


def send(relay, copies, settings=None, **pool_settings) -> tuple[list[Outcome], list[Copy], Pool]:
    async def run():
        found: list[Outcome] = []
        async with relay:
            pool = Pool(relay.relay(**(settings or {})), 1, found.extend, first_pause=0.01, **pool_settings)
            unsent = await pool.submit(copies)
            await pool.close()
            assert pool.in_flight == 0
        return found, unsent, pool

    return asyncio.run(run())


def brief(outcomes: list[Outcome]) -> list[tuple[int, int, int, str, bool]]:
    return sorted((o.key, o.recipient_index, o.code, o.kind, o.in_doubt) for o in outcomes)


def at(verb: str, reply, only: int | None = None):
    """A script that gives this reply to the verb (only to the one of that number, if given)."""
    return lambda asked, number, line: reply if asked == verb and only in (None, number) else None


@pytest.mark.parametrize("extensions", [FULL, ()])
def test_a_message_arrives_as_it_was_given(scripted, extensions):
    relay = scripted(extensions=extensions)
    data = b".dot first\r\n..two\r\nx.y\r\n.\r\nend without line end"
    outcomes, unsent, _ = send(relay, [copy(7, "a@example.net", "b@example.net", data=data)])
    assert brief(outcomes) == [(7, 0, 250, "delivered", False), (7, 1, 250, "delivered", False)]
    assert relay.messages == [("l-bounces@example.org", ["a@example.net", "b@example.net"], data + b"\r\n")]
    assert unsent == []


def test_without_pipelining_every_command_waits_for_the_reply_before(scripted):
    relay = scripted(extensions=("SIZE",))
    outcomes, _, _ = send(relay, [copy(n) for n in range(5)])
    assert [o.kind for o in outcomes] == ["delivered"] * 5
    assert not relay.spoke_early


def test_the_next_envelope_comes_with_the_message_but_never_a_second_message(scripted):
    """RFC 2920 §3.1; what has arrived behind a message when its reply is due ends with the next DATA."""
    relay = scripted()
    outcomes, _, _ = send(relay, [copy(n) for n in range(50)])
    assert sorted(o.key for o in outcomes) == list(range(50))
    assert relay.sessions == 1
    groups = [
        f"MAIL FROM:<l-bounces@example.org> SIZE=21\r\nRCPT TO:<u{n}@example.net>\r\nDATA\r\n" for n in range(1, 50)
    ]
    assert relay.behind_message == [*(group.encode() for group in groups), b""]


@pytest.mark.parametrize(
    ("verb", "reply", "stage"),
    [
        ("MAIL", "550 5.7.1 no", "mail"),
        ("MAIL", "451 4.3.0 later", "mail"),
        ("RCPT", "550 5.1.1 unknown", "rcpt"),
        ("RCPT", "450 4.2.0 greylisted", "rcpt"),
        ("RCPT", "552 5.2.2 full", "rcpt"),
        ("DATA", "554 5.5.1 no", "content"),
        ("DATA", "451 4.3.0 no", "content"),
        ("DOT", "554 5.6.0 spam", "content"),
        ("DOT", "452-4.3.1 disk\r\n452 4.3.1 full", "content"),
    ],
)
@pytest.mark.parametrize("extensions", [FULL, ()])
def test_a_refusal_at_any_stage_is_that_copys_outcome_and_the_session_goes_on(scripted, verb, reply, stage, extensions):
    relay = scripted(at(verb, reply, only=0), extensions=extensions)
    outcomes, unsent, _ = send(relay, [copy(1), copy(2), copy(3)])
    code = int(reply[:3])
    kind = "permanent" if code >= 500 and code != 552 else "temporary"
    assert brief(outcomes) == [
        (1, 0, code, kind, False),
        (2, 0, 250, "delivered", False),
        (3, 0, 250, "delivered", False),
    ]
    assert outcomes[0].stage == stage
    assert outcomes[0].text.split()[0] in reply
    assert unsent == []
    assert relay.sessions == 1
    assert not relay.spoke_early


@pytest.mark.parametrize("extensions", [FULL, ()])
def test_each_recipient_has_its_own_outcome(scripted, extensions):
    relay = scripted(
        lambda verb, number, line: "550 5.1.1 no" if verb == "RCPT" and "bad" in line else None, extensions
    )
    outcomes, _, _ = send(relay, [copy(1, "bad1@x.net", "good@x.net", "bad2@x.net")])
    assert [(i, c) for _, i, c, _, _ in brief(outcomes)] == [(0, 550), (1, 250), (2, 550)]
    assert relay.messages[0][1] == ["good@x.net"]


def test_a_relay_that_wants_a_message_for_nobody_gets_an_empty_one(scripted):
    """RFC 2920 §3.1: all RCPTs failed but DATA was answered with 354."""
    relay = scripted(lambda verb, number, line: "550 no" if verb == "RCPT" and "bad" in line else None)
    outcomes, _, _ = send(relay, [copy(1, "bad@x.net"), copy(2)])
    assert brief(outcomes) == [(1, 0, 550, "permanent", False), (2, 0, 250, "delivered", False)]
    assert [m[2] for m in relay.messages] == [b"", BODY]


def test_nobody_gets_an_empty_message_from_a_relay_that_forgot_its_refusal(scripted):
    """It refused the sender, took the recipient and wants the message: the session ends there."""

    def script(verb, number, line):
        return "451 4.3.0 later" if verb == "MAIL" and number == 0 else None

    relay = scripted(script)
    relay.forgetful = True
    outcomes, unsent, _ = send(relay, [copy(1), copy(2)])
    assert brief(outcomes) == [(1, 0, 451, "temporary", False), (2, 0, 250, "delivered", False)]
    assert unsent == []
    assert [m[2] for m in relay.messages] == [BODY]


def test_recipients_beyond_the_relays_limit_go_in_further_transactions(scripted):
    """RFC 5321 §4.5.3.1.10."""
    here = 0

    def script(verb, number, line):
        nonlocal here
        here = 0 if verb == "MAIL" else here + (verb == "RCPT")
        return "452 4.5.3 too many" if verb == "RCPT" and here > 2 else None

    relay = scripted(script)
    people = [f"u{n}@x.net" for n in range(7)]
    outcomes, _, _ = send(relay, [copy(1, *people)])
    assert [(o[1], o[3]) for o in brief(outcomes)] == [(n, "delivered") for n in range(7)]
    assert sorted(person for m in relay.messages for person in m[1]) == people
    assert len(relay.messages) == 4


def test_helo_is_said_where_ehlo_is_not_known(scripted):
    relay = scripted(at("EHLO", "502 5.5.1 what"), extensions=())
    outcomes, _, _ = send(relay, [copy(1), copy(2)])
    assert [o.kind for o in outcomes] == ["delivered"] * 2
    assert relay.seen("HELO") == 1
    assert not relay.spoke_early


def test_size_and_8bitmime_and_smtputf8_are_said_where_they_are_known(scripted):
    relay = scripted()
    send(relay, [copy(1), copy(2, data="ü\r\n".encode()), copy(3, "jürgen@bücher.example")])
    mails = [line.split("> ")[1] for line in relay.lines if line.startswith("MAIL")]
    assert sorted(mails) == ["SIZE=21", "SIZE=21 SMTPUTF8", "SIZE=4 BODY=8BITMIME"]
    plain = scripted(extensions=("PIPELINING",))
    send(plain, [copy(1, data="ü\r\n".encode())])
    assert "MAIL FROM:<l-bounces@example.org>" in plain.lines


def test_an_address_the_relay_cannot_be_told_fails_alone(scripted):
    relay = scripted(extensions=("PIPELINING",))
    people = (
        "jürgen@example.net",
        "good@example.net",
        "info@bücher.example",
        "a b@x.net",
        "x>\r\nRSET@x.net",
        '"a b"@x.net',
    )
    outcomes, _, _ = send(relay, [copy(1, *people), copy(2, "x@x.net", sender="bounces\r\n@x.net")])
    codes = {(o.key, o.recipient_index): (o.code, o.text[:5]) for o in outcomes}
    assert codes[1, 0] == (553, "5.6.7")
    assert codes[1, 3] == codes[1, 4] == (553, "5.1.3")
    assert codes[1, 1][0] == codes[1, 2][0] == codes[1, 5][0] == 250
    assert codes[2, 0] == (553, "5.1.3")
    assert relay.messages[0][1] == ["good@example.net", "info@xn--bcher-kva.example", '"a b"@x.net']
    assert relay.seen("RSET") == 0


def test_content_is_made_just_in_time_and_its_failure_is_temporary(scripted):
    def broken(features) -> bytes:
        raise RuntimeError("no template")

    relay = scripted()
    outcomes, _, _ = send(relay, [copy(1, data=broken), copy(2, data=lambda features: BODY)])
    assert brief(outcomes) == [(1, 0, 451, "temporary", False), (2, 0, 250, "delivered", False)]
    assert relay.seen("MAIL") == 1


@pytest.mark.parametrize(
    ("verb", "reply"),
    [
        ("CONNECT", "554 5.7.1 not you"),
        ("CONNECT", "421 4.3.2 busy"),
        ("CONNECT", b"SSH-2.0-OpenSSH_9.2\r\n"),
        ("CONNECT", "drop"),
        ("CONNECT", "silent"),
        ("EHLO", "421 4.3.2 busy"),
        ("EHLO", b"250-" + b"x" * 100_000),
        ("EHLO", b"250-more\r\n" * 20_000),
        ("EHLO", "silent"),
    ],
)
def test_a_relay_that_does_not_get_as_far_as_mail_is_away_and_nothing_has_an_outcome(scripted, verb, reply):
    relay = scripted(at(verb, reply))
    copies = [copy(n) for n in range(200)]
    outcomes, unsent, pool = send(relay, copies, {"reply_seconds": 0.1})
    assert outcomes == []
    assert sorted(c.key for c in unsent) == list(range(200))
    assert pool.away.startswith(f"the mail relay 127.0.0.1:{relay.port} ")
    assert relay.sessions == 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("reply", [b"\xff\xfe garbage\r\n", b"250" + b"x" * 100_000, "silent", "399 what", "drop"])
def test_a_broken_answer_has_a_defined_end(scripted, verb, reply):
    """Content without a reply is in doubt; before content, after two tries or a wait in vain, it is just temporary."""
    relay = scripted(lambda asked, number, line: reply if asked == verb and relay.counts["CONNECT"] <= 2 else None)
    settings = {"reply_seconds": 0.1, "data_seconds": 0.1}
    outcomes, unsent, _ = send(relay, [copy(1)], settings)
    assert unsent == []
    if verb == "DOT":
        assert brief(outcomes) == [(1, 0, 444, "temporary", True)]
        assert relay.sessions == 1
    else:
        assert brief(outcomes) == [(1, 0, 444, "temporary", False)]
        assert outcomes[0].stage == "connection"
        assert relay.sessions == (1 if reply == "silent" else 2)


def test_a_reply_is_shown_without_what_could_harm_a_page_or_a_log(scripted):
    relay = scripted(at("DOT", b"554 5.7.1 \x1b[31mno\x00\xff\r\n"))
    outcomes, _, _ = send(relay, [copy(1)])
    assert outcomes[0].text == "5.7.1  [31mno \ufffd"


def test_signing_in_says_user_and_password(scripted):
    relay = scripted(extensions=(*FULL, "AUTH LOGIN PLAIN"))
    outcomes, _, _ = send(relay, [copy(1)], {"user": "post", "password": "röad"})
    assert outcomes[0].kind == "delivered"
    secret = base64.b64encode(b"\0post\0" + "röad".encode()).decode()
    assert f"AUTH PLAIN {secret}" in relay.lines


def test_signing_in_the_old_way(scripted):
    def script(verb, number, line):
        if verb == "AUTH":
            return "334 VXNlcm5hbWU6"
        if line.strip() == base64.b64encode(b"post").decode():
            return "334 UGFzc3dvcmQ6"
        return "235 ok" if line.strip() == base64.b64encode(b"road").decode() else None

    relay = scripted(script, extensions=(*FULL, "AUTH=LOGIN"))
    outcomes, _, _ = send(relay, [copy(1)], {"user": "post", "password": "road"})
    assert outcomes[0].kind == "delivered"


@pytest.mark.parametrize("extensions", [(*FULL, "AUTH PLAIN"), (*FULL, "AUTH GSSAPI"), FULL])
def test_a_failed_sign_in_is_the_relays_event_not_the_members(scripted, extensions):
    relay = scripted(at("AUTH", "535 5.7.8 wrong"), extensions=extensions)
    outcomes, unsent, pool = send(relay, [copy(1)], {"user": "post", "password": "secret"})
    assert outcomes == []
    assert len(unsent) == 1
    assert pool.away
    assert "secret" not in pool.away
    assert "secret" not in repr(relay.relay(password="secret"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a relay with a certificate for 127.0.0.1 and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "relay.pem"
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem),
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_through_tls(scripted, certificate, security):
    server, client = certificate
    relay = scripted(extensions=(*FULL, "STARTTLS"), tls=server, direct_tls=security == "tls")
    big = copy(0, data=(b"y" * 998 + b"\r\n") * 1000)
    outcomes, unsent, _ = send(relay, [big, *(copy(n) for n in range(1, 20))], {"security": security}, tls=client)
    assert [o.kind for o in outcomes] == ["delivered"] * 20, unsent
    assert max(len(m[2]) for m in relay.messages) == 1_000_000
    assert relay.seen("EHLO") == (2 if security == "starttls" else 1)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_is_refused(scripted, certificate, security):
    relay = scripted(extensions=(*FULL, "STARTTLS"), tls=certificate[0], direct_tls=security == "tls")
    outcomes, unsent, pool = send(relay, [copy(1)], {"security": security})
    assert (outcomes, len(unsent)) == ([], 1)
    assert "certificate" in pool.away
    assert relay.seen("MAIL") == 0


@pytest.mark.parametrize("answer", [None, "454 4.7.0 not now"])
def test_tls_that_is_asked_for_is_never_gone_without(scripted, answer):
    relay = scripted(at("STARTTLS", answer), extensions=FULL if answer is None else (*FULL, "STARTTLS"))
    outcomes, unsent, pool = send(relay, [copy(1)], {"security": "starttls"})
    assert (outcomes, len(unsent)) == ([], 1)
    assert "STARTTLS" in pool.away
    assert relay.seen("MAIL") == 0


def test_what_was_sent_in_clear_text_behind_starttls_is_thrown_away(scripted, certificate):
    """RFC 3207 §4.2: an answer slipped in by somebody on the way must not count as the relay's."""
    server, client = certificate
    slipped = b"220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n"
    relay = scripted(at("STARTTLS", slipped), extensions=(*FULL, "STARTTLS"), tls=server)
    outcomes, unsent, _ = send(relay, [copy(1)], {"security": "starttls", "connect_seconds": 2}, tls=client)
    assert (len(outcomes), len(unsent)) in {(1, 0), (0, 1)}
    assert relay.seen("AUTH") == 0


def test_an_endless_reply_of_good_lines_is_cut_off(scripted):
    relay = scripted(at("EHLO", b"250-more\r\n" * 20_000))
    _, unsent, pool = send(relay, [copy(1)])
    assert len(unsent) == 1
    assert "endless" in pool.away


def test_the_wait_for_a_reply_begins_anew_with_each_reply(scripted):
    """Twelve recipients, 0.1 s each, 0.6 s allowed for a reply."""
    relay = scripted()
    relay.reply_drag = 0.1
    outcomes, _, _ = send(relay, [copy(1, *(f"u{n}@x.net" for n in range(12)))], {"reply_seconds": 0.6})
    assert [o.kind for o in outcomes] == ["delivered"] * 12


def test_a_large_message_that_is_slowly_taken_is_not_given_up(scripted):
    """The wait for the reply counts from the last sign that the relay takes the bytes: 2 s of taking, 1 s allowed."""
    relay = scripted()
    relay.drag = 0.02
    outcomes, _, _ = send(relay, [copy(1, data=(b"z" * 998 + b"\r\n") * 30_000)], {"data_seconds": 1})
    assert outcomes[0].kind == "delivered", outcomes
    assert len(relay.messages[0][2]) == 30_000_000
