"""Do the certificates hold for a while: LMTP's own, and that of the pages as the world sees them?"""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from postroad.foundation.configuration import current
from postroad.project.doctor.dialogue import TIMEOUT_SECONDS
from postroad.project.doctor.finding import Finding, bad, ok

LEAST_DAYS = 14


def look() -> Iterator[Finding]:
    """Each certificate there is."""
    file = current().lmtp.certificate
    if file:
        try:
            yield _judged(f"the certificate of LMTP, {file},", Path(file).read_bytes())
        except (OSError, ValueError) as error:
            yield bad(f"the certificate of LMTP, {file}, cannot be read: {error}", "Mend [lmtp] certificate")
    parts = urlsplit(current().site.base_url)
    if parts.scheme == "https":
        yield _of_pages(parts.hostname or "", parts.port or 443)


def _of_pages(host: str, port: int) -> Finding:
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), TIMEOUT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            der = secured.getpeercert(binary_form=True) or b""
    except ssl.SSLCertVerificationError as error:
        return bad(f"browsers refuse the certificate of {host}: {error.verify_message}", "Renew it at the web server")
    except OSError as error:
        return bad(f"{host} does not answer on port {port}: {error}", "Start the web server, or mend [site] base_url")
    return _judged(f"the certificate of {host}", ssl.DER_cert_to_PEM_cert(der).encode())


def _judged(what: str, pem: bytes) -> Finding:
    end = x509.load_pem_x509_certificate(pem).not_valid_after_utc
    days = (end - datetime.now(UTC)).days
    if days < LEAST_DAYS:
        state = "is over since" if days < 0 else "ends on"
        return bad(f"{what} {state} {end:%Y-%m-%d}", "Renew it; does the job that renews certificates run?")
    return ok(f"{what} holds until {end:%Y-%m-%d}")
