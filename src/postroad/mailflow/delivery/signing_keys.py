"""The keys of each mail domain: made, published, used, retired (RFC 6376 §3.1: rotation is by selector)."""

import functools
import re
import secrets
import time
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from django.db import transaction

from postroad.foundation.authentication.dns import lookup
from postroad.foundation.authentication.keys import (
    ALGORITHMS,
    Algorithm,
    PrivateKey,
    der_of,
    new_key,
    private_key,
    record_of,
)
from postroad.foundation.configuration import current
from postroad.foundation.errors import BadInput, ConfigurationError, NotFound
from postroad.foundation.message.addresses import domain_to_ascii
from postroad.foundation.queue import memory
from postroad.mailflow.delivery.models import SigningKey

_NONCE = 12
_SELECTOR = re.compile(r"(?=.{1,63}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+")


def make(domain: str, algorithms: Sequence[Algorithm] = ALGORITHMS) -> list[SigningKey]:
    """New keys for a domain, named by month and kind; they sign nothing before `use`.

    Raises:
        BadInput: this cannot be a domain.
    """
    host = _host(domain)
    if not algorithms:
        raise BadInput(f"A key is one of: {', '.join(ALGORITHMS)}.")
    with transaction.atomic():
        return [_make(host, algorithm) for algorithm in algorithms]


def _make(host: str, algorithm: Algorithm) -> SigningKey:
    taken = set(SigningKey.objects.filter(mail_host=host).values_list("selector", flat=True))
    month = f"{time.strftime('%Y%m', time.gmtime())}-{algorithm}"
    selector = next(name for name in (month, *(f"{month}-{number}" for number in range(2, 1000))) if name not in taken)
    return _keep(SigningKey(mail_host=host, selector=selector, algorithm=algorithm), new_key(algorithm))


def _keep(key: SigningKey, der: bytes) -> SigningKey:
    nonce = secrets.token_bytes(_NONCE)
    key.private = nonce + _cipher().encrypt(nonce, der, key.record_name.encode())
    key.created_at = time.time()
    key.save()
    return key


def bring(domain: str, selector: str, data: bytes) -> SigningKey:
    """Sign with a key that was made elsewhere, PEM or DER, and whose record DNS tells already.

    The same key again changes nothing.

    Raises:
        BadInput: this is no key to sign with, no domain or no selector, or another key has the selector.
    """
    host = _host(domain)
    if not _SELECTOR.fullmatch(selector):
        raise BadInput(f"{selector!r} is no selector, such as 202611-rsa.")
    try:
        der = der_of(data)
        algorithm = private_key(host, selector, der).algorithm
    except ValueError as error:
        raise BadInput(f"This is no key to sign with: {error}") from None
    there = SigningKey.objects.filter(mail_host=host, selector=selector).first()
    if there is not None:
        if record(there) != record_of(private_key(host, selector, der)):
            raise BadInput(f"{host} has another key {selector} already.")
        return there
    with transaction.atomic():
        key = _keep(SigningKey(mail_host=host, selector=selector, algorithm=algorithm), der)
        use(host, selector)
    return key


def use(domain: str, selector: str) -> list[SigningKey]:
    """Sign with this key from now on; the earlier ones of its kind are retired, and returned.

    Raises:
        NotFound: the domain has no such key.
    """
    key = find(domain, selector)
    now = time.time()
    with transaction.atomic():
        others = SigningKey.objects.filter(mail_host=key.mail_host, algorithm=key.algorithm, used_since__isnull=False)
        retired = list(others.filter(retired_at__isnull=True).exclude(pk=key.pk))
        SigningKey.objects.filter(pk__in=[other.pk for other in retired]).update(retired_at=now)
        SigningKey.objects.filter(pk=key.pk).update(used_since=now, retired_at=None)
    return retired


def retire(domain: str, selector: str) -> None:
    """Sign with this key no more.

    Raises:
        NotFound: the domain has no such key.
    """
    SigningKey.objects.filter(pk=find(domain, selector).pk).update(retired_at=time.time())


def remove(domain: str, selector: str) -> None:
    """Forget a key for good.

    Raises:
        NotFound: the domain has no such key.
        BadInput: mail is signed with it.
    """
    key = find(domain, selector)
    if key.used_since is not None and key.retired_at is None:
        raise BadInput(f"Mail is signed with {selector}; retire it first, or use another key in its place.")
    key.delete()


def find(domain: str, selector: str) -> SigningKey:
    """A key by its name.

    Raises:
        NotFound: the domain has no such key.
    """
    key = SigningKey.objects.filter(mail_host=_host(domain), selector=selector).first()
    if key is None:
        raise NotFound(f"{domain} has no key {selector}; `postroad dkim show {domain}` names them all.")
    return key


def known(domain: str = "") -> list[SigningKey]:
    """All keys, or those of a domain."""
    keys = SigningKey.objects.order_by("mail_host", "created_at", "pk")
    return list(keys.filter(mail_host=_host(domain)) if domain else keys)


def in_use(domains: Sequence[str]) -> list[PrivateKey]:
    """What to sign with: the keys in use of the first of these domains (A-labels) that has any; asked once for a batch.

    Raises:
        ConfigurationError: a key was kept under the secret of another home.
    """
    return memory.once(("signing keys", *domains), lambda: _in_use(domains))


def _in_use(domains: Sequence[str]) -> list[PrivateKey]:
    rows = SigningKey.objects.filter(mail_host__in=domains, used_since__isnull=False, retired_at__isnull=True)
    by_host: dict[str, list[SigningKey]] = {}
    for row in rows.order_by("algorithm"):
        by_host.setdefault(row.mail_host, []).append(row)
    first = next((host for host in domains if host in by_host), "")
    return [opened(key) for key in by_host.get(first, ())]


def opened(key: SigningKey) -> PrivateKey:
    """The key itself.

    Raises:
        ConfigurationError: it was kept under the secret of another home.
    """
    return _opened(key.mail_host, key.selector, key.record_name.encode(), bytes(key.private))


@functools.lru_cache(maxsize=200)
def _opened(host: str, selector: str, name: bytes, sealed: bytes) -> PrivateKey:
    try:
        der = _cipher().decrypt(sealed[:_NONCE], sealed[_NONCE:], name)
    except InvalidTag:
        raise ConfigurationError(
            f"The DKIM key {selector} of {host} was kept under another secret than {current().home / 'secret.key'}. "
            "All hosts of a site need the same secret.key; copy it, or make new keys with `postroad dkim make`."
        ) from None
    return private_key(host, selector, der)


def record(key: SigningKey) -> str:
    """What DNS must tell under `key.record_name`.

    Raises:
        ConfigurationError: it was kept under the secret of another home.
    """
    return record_of(opened(key))


def is_published(key: SigningKey) -> bool:
    """Whether DNS tells the record of this key.

    Raises:
        NoReply: DNS gave no answer.
    """
    wanted = "".join(record(key).split())
    return any("".join(text.split()) == wanted for text in lookup(key.record_name).records)


def _cipher() -> ChaCha20Poly1305:
    return ChaCha20Poly1305(current().secret("dkim keys"))


def _host(domain: str) -> str:
    try:
        host = domain_to_ascii(domain.strip().rstrip(".").lower())
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host):
        raise BadInput(f"{domain!r} is no mail domain, such as lists.example.org.")
    return host
