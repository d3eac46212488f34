"""Asks an address outside, and never one inside: names are resolved once, and the connection goes to what was checked.

A name that answers otherwise a moment later (DNS rebinding) changes nothing, and no redirect is followed.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from postroad.foundation.configuration import current
from postroad.foundation.errors import BadInput

TIMEOUT_SECONDS = 10.0
LARGEST_ANSWER = 65_536
_EMBEDDING = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "2002::/16", "2001::/32")))
"""IPv6 that stands for an IPv4 address (RFC 6052, 3056, 4380), which could be a private one."""


class Unreachable(Exception):
    """The address was not asked, or did not answer as HTTP does."""


def check_url(url: str) -> None:
    """See that an address can be asked at all.

    Raises:
        BadInput: it is no http or https address, or holds a credential.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise BadInput(f"Not an address such as https://example.org/hook: {url}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or not url.isascii():
        raise BadInput(f"Not an address such as https://example.org/hook, without credentials in it: {url}")


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status with which an address answers a POST; it has `TIMEOUT_SECONDS` for everything.

    Raises:
        Unreachable: with the reason.
    """
    parts = urlsplit(url)
    end = time.monotonic() + TIMEOUT_SECONDS
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.sock = _connected(host, port, encrypted=parts.scheme == "https")
        target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.request("POST", target, body, dict(headers))
        connection.sock.settimeout(max(0.1, end - time.monotonic()))
        answer = connection.getresponse()
        answer.read(LARGEST_ANSWER)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(getattr(error, "strerror", None) or str(error) or type(error).__name__) from None
    finally:
        connection.close()
    return answer.status


def _connected(host: str, port: int, *, encrypted: bool) -> socket.socket:
    address = _checked(host, port)
    plain = socket.create_connection((address, port), TIMEOUT_SECONDS)
    if not encrypted:
        return plain
    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def _checked(host: str, port: int) -> str:
    """The first address of a host, when every one of them is outside.

    Raises:
        Unreachable: one is private, loopback, link-local or otherwise not of the public network.
    """
    found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        if not is_public(text):
            raise Unreachable(f"refused: {host} is {text}, which is no address of the public network")
    return found[0]


def is_public(text: str) -> bool:
    """Whether an IP address is of the public network, or of one that `[webhooks] allow_networks` names."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in ipaddress.ip_network(network) for network in current().webhooks.allow_networks):
        return True
    embeds = any(address in network for network in _EMBEDDING)
    return address.is_global and not address.is_multicast and not embeds
