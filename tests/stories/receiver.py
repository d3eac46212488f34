"""A big receiver's eyes: what Gmail, Yahoo and Microsoft ask of bulk senders (as of 2026), applied to one mail.

Written against their rules and the RFCs with the standard library and dkimpy; it shares no code with the sender.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime

import dkim


@dataclass(frozen=True)
class Zone:
    """What DNS tells: TXT records by name, and the domains whose SPF names the sending host."""

    texts: Mapping[str, str]
    spf: frozenset[str]

    def text(self, name: bytes, timeout: int = 5) -> bytes:
        return self.texts.get(name.decode().rstrip("."), "").encode()

    def policy(self, domain: str) -> str:
        """The DMARC policy of a domain, or of its parent."""
        for name in (domain, domain.partition(".")[2]):
            record = self.texts.get(f"_dmarc.{name}", "")
            if found := re.search(r"p=(\w+)", record):
                return found[1]
        return "none"


def complaints(sender: str, content: bytes, zone: Zone, ours: str) -> list[str]:
    """Everything a receiver would hold against a mail; `ours` is the domain of the sending site."""
    mail = message_from_bytes(content, policy=default)
    header = content.partition(b"\r\n\r\n")[0]
    signed = _signed(content, zone)
    return [
        *_form(content, header, mail),
        *_authentication(sender, mail, signed, zone, ours),
        *_lists(mail, signed, ours),
        *_unsubscribing(mail, signed),
        *_automatic(mail, ours),
    ]


def _form(content: bytes, header: bytes, mail: EmailMessage):
    """RFC 5321 and 5322, as strictly as Gmail reads them."""
    for name in ("From", "Date", "Message-ID", "Subject", "MIME-Version", "To", "Cc", "Reply-To", "Sender", "List-Id"):
        count = len(mail.get_all(name, []))
        if count > 1 or (count == 0 and name in ("From", "Date", "Message-ID", "Subject")):
            yield f"{count} fields {name}"
    if not mail.get_all("To") and not mail.get_all("Cc"):
        yield "nobody is addressed"
    if not re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", str(mail["Message-ID"] or "").strip()):
        yield f"Message-ID {mail['Message-ID']!r}"
    try:
        parsedate_to_datetime(str(mail["Date"]))
    except (TypeError, ValueError):
        yield f"Date {mail['Date']!r}"
    if re.search(rb"(?<!\r)\n|\r(?!\n)", content):
        yield "bare CR or LF"
    if max(map(len, content.split(b"\r\n"))) > 998:
        yield "a line of more than 998 octets"
    if not header.isascii():
        yield "a header that is not ASCII"
    for part in mail.walk():
        for defect in part.defects:
            yield f"MIME: {defect!r}"
        if part.get_content_maintype() == "text" and not part.is_multipart():
            part.get_content()


def _signed(content: bytes, zone: Zone) -> list[tuple[str, list[str]]]:
    """Domain and covered fields of each signature that holds."""
    held = []
    fields = [value for name, value in dkim.DKIM(content).headers if name.lower() == b"dkim-signature"]
    for index, value in enumerate(fields):
        checker = dkim.DKIM(content)
        try:
            holds = checker.verify(idx=index, dnsfunc=zone.text)
        except dkim.DKIMException:
            holds = False
        if holds:
            names = re.search(rb"[;\s]h=([^;]*)", value)[1]
            held.append((checker.domain.decode(), re.sub(rb"\s", b"", names).decode().lower().split(":")))
    return held


def _authentication(sender: str, mail: EmailMessage, signed, zone: Zone, ours: str):
    """SPF and DKIM pass; the domain in From is aligned with one of them, or at least asks for nothing of lists."""
    if sender.rpartition("@")[2] not in zone.spf and sender:
        yield f"SPF does not allow {sender}"
    if ours not in [domain for domain, _ in signed]:
        yield f"no signature of {ours} holds"
    authors: tuple[Address, ...] = mail["From"].addresses if mail["From"] is not None else ()
    if len(authors) != 1 or not authors[0].domain:
        yield f"From {mail['From']!r}"
        return
    domain = authors[0].domain.lower()
    aligned = {domain_ for domain_, _ in signed} | {sender.rpartition("@")[2]}
    if not any(domain == one or domain.endswith(f".{one}") or one.endswith(f".{domain}") for one in aligned if one):
        if zone.policy(domain) != "none":
            yield f"DMARC: {domain} asks to refuse this"
        if mail["List-Id"] is None:
            yield f"From {domain} is not aligned, and no list vouches for it"
    for name, covered in signed:
        if name == ours and covered.count("from") < 2:
            yield "another From could be added"


def _lists(mail: EmailMessage, signed, ours: str):
    """RFC 2919: one List-Id of ours on all mail of a list."""
    value = str(mail["List-Id"] or "")
    if value and not re.search(rf"<[a-z0-9._-]+\.{re.escape(ours)}>$", value):
        yield f"List-Id {value!r}"
    for name in ("List-Help", "List-Owner", "List-Subscribe", "List-Post", "List-Archive", "Archived-At"):
        for text in mail.get_all(name, []):
            if not re.fullmatch(r"(<(mailto:|https://)[^<>\s]+>(,\s*)?)+|NO", str(text).strip()):
                yield f"{name} {str(text)!r}"


def _is_subscribed_mail(mail: EmailMessage) -> bool:
    """Whether it comes because somebody subscribed: a post or a digest, not an answer or a notice."""
    return mail["List-Id"] is not None and str(mail["Auto-Submitted"] or "no") == "no"


def _unsubscribing(mail: EmailMessage, signed):
    """RFC 8058 with both fields signed, and words about it in the text."""
    if not _is_subscribed_mail(mail):
        return
    where = str(mail["List-Unsubscribe"] or "")
    if not re.search(r"<https://[^<>\s]+>", where):
        yield f"no one-click address: List-Unsubscribe {where!r}"
    if str(mail["List-Unsubscribe-Post"] or "") != "List-Unsubscribe=One-Click":
        yield "no List-Unsubscribe-Post"
    if not any({"list-unsubscribe", "list-unsubscribe-post"} <= set(names) for _, names in signed):
        yield "the unsubscribe fields are not signed"
    texts = [p.get_content() for p in mail.walk() if p.get_content_maintype() == "text" and not p.is_multipart()]
    if not any(re.search("unsubscribe|leave", text, re.IGNORECASE) for text in texts):
        yield "the text does not say how to unsubscribe"


def _automatic(mail: EmailMessage, site: str):
    """RFC 3834: what no person wrote says so."""
    ours = mail["From"] is not None and any(author.domain.lower() == site for author in mail["From"].addresses)
    if ours and mail["List-Id"] is None and str(mail["Auto-Submitted"] or "no") == "no":
        yield "an automatic mail that does not say so"
