"""What DNS tells about the hosts of our lists: MX, SPF, DKIM, DMARC, and names of the addresses."""

import ipaddress
import re
from collections.abc import Iterator

import dns.reversename

from postroad.community.lists.models import MailingList
from postroad.foundation.authentication.dmarc import organisational_domain, requested_of_receivers
from postroad.foundation.authentication.dns import NoReply, lookup
from postroad.foundation.configuration import current
from postroad.foundation.errors import PostroadError
from postroad.mailflow.delivery import signing_keys
from postroad.project.doctor.finding import Finding, bad, note, ok

MOST_HOSTS = 50


def look() -> Iterator[Finding]:
    """Each host that has lists."""
    hosts = MailingList.objects.order_by("mail_host").values_list("mail_host", flat=True).distinct()
    for host in hosts[:MOST_HOSTS]:
        try:
            yield from _mx(host)
            yield _spf(host)
            yield from _dkim(host)
            yield _dmarc(host)
        except NoReply:
            yield bad(
                f"DNS gives no answer about {host}", "Look at the name server in /etc/resolv.conf or [dns] servers"
            )


def _mx(host: str) -> Iterator[Finding]:
    """Where mail for the host goes (RFC 5321 §5.1), and whether those addresses have names (RFC 1912 §2.1)."""
    records = [record.split()[-1].rstrip(".") for record in lookup(host, "MX").records]
    servers = records or [host]
    addresses = [address for server in servers for address in _addresses(server)]
    if not addresses:
        yield bad(f"mail for {host} finds no way here", f"Publish: {host}. MX 10 (the mail server's name).")
        return
    if records:
        yield ok(f"mail for {host} comes to {', '.join(servers)}")
    else:
        yield note(f"{host} has no MX record; mail comes to its address", f"Publish: {host}. MX 10 {host}.")
    for address in addresses:
        if ipaddress.ip_address(address).is_global:
            yield _name(address)


def _addresses(server: str) -> list[str]:
    return [*lookup(server, "A").records, *lookup(server, "AAAA").records]


def _name(address: str) -> Finding:
    """Whether the address has a name that leads back to it; large receivers refuse mail from one without."""
    names = [name.rstrip(".") for name in lookup(dns.reversename.from_address(address).to_text(), "PTR").records]
    if any(ipaddress.ip_address(found) == ipaddress.ip_address(address) for n in names for found in _addresses(n)):
        return ok(f"{address} is {names[0]}, and back")
    if names:
        return bad(f"{address} is {names[0]}, which leads elsewhere", f"Let {names[0]} have the address {address}")
    return bad(f"{address} has no name (PTR)", "Let whoever gave you the address publish the mail server's name for it")


def _spf(host: str) -> Finding:
    """Who may send for the host (RFC 7208): bounces of our lists come back to it, so it is what receivers look at."""
    records = [text for text in lookup(host).records if re.match(r"v=spf1(\s|$)", text, re.IGNORECASE)]
    if not records:
        return bad(f"{host} has no SPF record", f'Publish: {host}. TXT "v=spf1 mx ~all"')
    if len(records) > 1:
        return bad(f"{host} has {len(records)} SPF records, which counts as an error", "Leave one of them")
    if re.search(r"\+?\ball\b", records[0], re.IGNORECASE) and not re.search(r"[-~?]all\b", records[0], re.IGNORECASE):
        return bad(f"the SPF record of {host} lets anybody send", "End it in ~all or -all")
    return ok(f"{host} has an SPF record")


def _dkim(host: str) -> Iterator[Finding]:
    """Whether mail is signed, and with keys that DNS tells (RFC 6376)."""
    if not current().dkim.sign:
        yield note(f"mail of {host} is not signed here: [dkim] sign is false", "The relay must sign it then")
        return
    used = [key for key in signing_keys.known(host) if key.state == "in use"]
    if not used:
        yield bad(f"mail of {host} is not signed", f"`postroad dkim make {host}` makes keys and says what to publish")
    for key in used:
        try:
            published = signing_keys.is_published(key)
        except NoReply:
            raise
        except PostroadError as error:
            yield bad(str(error), f"`postroad dkim make {host}` makes new keys")
            continue
        if published:
            yield ok(f"mail of {host} is signed with {key.selector}, which DNS tells")
        else:
            yield bad(
                f"mail of {host} is signed with {key.selector}, which DNS does not tell",
                f"`postroad dkim show {host} --records` says what to publish",
            )


def _dmarc(host: str) -> Finding:
    """Whether there is a policy (RFC 9989), the host's own or that of the domain it belongs to."""
    for name in dict.fromkeys((host, organisational_domain(host))):
        if any(text.startswith("v=DMARC1") for text in lookup(f"_dmarc.{name}").records):
            return ok(f"{host} has a DMARC policy: {requested_of_receivers(host)}")
    return bad(f"{host} has no DMARC record", f'Publish: _dmarc.{host}. TXT "v=DMARC1; p=none"')
