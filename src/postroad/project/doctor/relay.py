"""Does the relay that mail is handed to answer, and as `[smtp]` says?"""

import ssl
from collections.abc import Iterator

from postroad.foundation.configuration import current
from postroad.project.doctor.dialogue import Dialogue
from postroad.project.doctor.finding import Finding, bad, note, ok


def look() -> Iterator[Finding]:
    """Greeting and extensions; nothing is sent."""
    smtp = current().smtp
    if not smtp.host:
        yield note("[smtp] host is empty: every mail stays in the outbox", "Name the relay in [smtp] host")
        return
    where = f"{smtp.host}:{smtp.port}"
    tls = ssl.create_default_context() if smtp.security == "tls" else None
    try:
        with Dialogue(smtp.host, smtp.port, tls=tls) as relay:
            if relay.greeting[0] != 220:
                yield bad(f"the relay {where} greets with {relay.greeting[0]} {relay.greeting[1]}", "Ask who runs it")
                return
            code, text = relay.say("EHLO localhost")
            relay.say("QUIT")
    except OSError as error:
        yield bad(f"the relay {where} does not answer: {error}", "Start it, or mend [smtp] host, port and security")
        return
    if code != 250:
        yield bad(f"the relay {where} refuses EHLO: {code} {text}", "Ask who runs it")
        return
    yield ok(f"the relay {where} answers")
    yield from _extensions(text)


def _extensions(text: str) -> Iterator[Finding]:
    """What the relay cannot do that is asked of it (RFC 5321 §4.1.1.1)."""
    offered = {line.split()[0].upper(): line.split()[1:] for line in text.split("\n")[1:] if line.split()}
    smtp = current().smtp
    if smtp.security == "starttls" and "STARTTLS" not in offered:
        yield bad("the relay offers no STARTTLS", 'Let it, or set [smtp] security to "tls" or "none"')
    if smtp.user and smtp.security == "none" and "AUTH" not in offered:
        yield bad("the relay takes no password on this connection", 'Set [smtp] security to "starttls" or "tls"')
    size = next((int(word) for word in offered.get("SIZE", []) if word.isdigit()), 0)
    if 0 < size < current().lmtp.max_size:
        yield note(
            f"the relay takes mails of {size:,} bytes at most, and we {current().lmtp.max_size:,}",
            f"Set [lmtp] max_size to {size} or less, so that large mails are refused at once",
        )
