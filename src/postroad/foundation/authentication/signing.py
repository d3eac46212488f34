"""Signs and seals the copies of a mail (RFC 6376, RFC 8463, RFC 8617).

What all copies share is hashed once, the rest for each copy: a template's fields are sorted into those that are the
same in all copies and the personal ones, and the signature names the former first. Of the body, everything up to the
first personal line is hashed once.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from postroad.foundation.authentication.arc import MOST_SETS, ArcSet, Status, is_given_up, sealed_bytes, sets_of
from postroad.foundation.authentication.canonical import relaxed_body, relaxed_field, settled
from postroad.foundation.authentication.keys import PrivateKey
from postroad.foundation.message.segments import Pieces, Template, parted

COVERED = (
    "from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references", "author",
    "mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id", "auto-submitted",
    "list-id", "list-help", "list-owner", "list-subscribe", "list-unsubscribe", "list-unsubscribe-post", "list-post",
    "list-archive", "archived-at", "cfbl-address",
)  # fmt: skip
"""Fields that are signed, each once more than it is there, so that nobody adds another (RFC 6376 §5.4, §8.15)."""
_MAY_BE_ADDED = frozenset({"date", "sender", "auto-submitted", "content-disposition", "content-id", "author"})
"""Seen in practice: a relay adds a missing Date. These are covered only as often as they are there."""

_LINE = 72
_TAB = b"\r\n\t"
_OPEN = b";\r\n\tb="
"""Ends a signature field whose signature is still to come."""


class BodyHash:
    """SHA-256 of the canonical body of each copy."""

    def __init__(self, body: Pieces) -> None:
        first = body[0] if body and isinstance(body[0], bytes) else b""
        self._rest: Template | None = None
        if all(isinstance(piece, bytes) for piece in body):
            self._shared = hashlib.sha256(relaxed_body(first))
        else:
            end = settled(first)
            self._shared = hashlib.sha256(relaxed_body(first[:end]))
            self._rest = Template([first[end:], *body[1 if first else 0 :]])

    @property
    def is_shared(self) -> bool:
        """Whether all copies have the same body."""
        return self._rest is None

    def of(self, values: Mapping[str, str]) -> bytes:
        """The hash of one copy, in base64."""
        made = self._shared
        if self._rest is not None:
            made = made.copy()
            made.update(relaxed_body(self._rest.render(values)))
        return base64.b64encode(made.digest())


@dataclass(frozen=True, slots=True)
class _Covered:
    """The fields a signature covers: their names as in `h=`, the hash of the shared ones, the personal ones."""

    names: tuple[str, ...]
    shared: "hashlib._Hash"
    personal: tuple[Template, ...]


def _covered(fields: Sequence[Pieces], wanted: Sequence[str], *, once_more: bool) -> _Covered:
    """What of these fields is signed; `once_more` names each once more than it is there."""
    by_name: dict[str, list[Pieces]] = {name: [] for name in wanted}
    for field in fields:
        if _name_of(field) in by_name:
            by_name[_name_of(field)].append(field)
    shared = {name: found for name, found in by_name.items() if all(len(field) == 1 for field in found)}
    personal = {name: found for name, found in by_name.items() if name not in shared}
    names: list[str] = []
    for name, found in (*shared.items(), *personal.items()):
        names += [name] * (len(found) + (once_more and name not in _MAY_BE_ADDED))
    # Of several fields of one name the lowest comes first (§5.4.2).
    static = b"".join(relaxed_field(bytes(field[0])) for found in shared.values() for field in reversed(found))  # type: ignore[arg-type]
    templates = tuple(Template(field) for found in personal.values() for field in reversed(found))
    return _Covered(tuple(names), hashlib.sha256(static), templates)


class Signer:
    """Signs the copies of one template with the keys of one domain."""

    def __init__(self, template: Template, keys: Sequence[PrivateKey], now: float) -> None:
        fields, body = parted(template)
        self._body = BodyHash(body)
        self._covered = _covered(fields, COVERED, once_more=True)
        self._keys = tuple(keys)
        self._heads = [_head(key, self._covered.names, int(now)) for key in keys]
        self._closed = [self._with_body(head, {}) for head in self._heads] if self._body.is_shared else []

    def _with_body(self, head: bytes, values: Mapping[str, str]) -> tuple[bytes, bytes]:
        """The field up to its empty `b=`, as sent and in its canonical form."""
        field = head + self._body.of(values) + _OPEN
        return field, relaxed_field(field)[:-2]

    def fields(self, values: Mapping[str, str]) -> bytes:
        """The DKIM-Signature fields of the copy with these values, to stand on top of it."""
        header = self._covered.shared
        if self._covered.personal:
            header = header.copy()
            for template in self._covered.personal:
                header.update(relaxed_field(template.render(values)))
        closed = self._closed or [self._with_body(head, values) for head in self._heads]
        made = []
        for key, (field, canonical) in zip(self._keys, closed, strict=True):
            whole = header.copy()
            whole.update(canonical)
            made.append(_signed(field, key, whole.digest()))
        return b"".join(made)


class Sealer:
    """Makes the next set of a template's ARC chain (RFC 8617 §5.1).

    Its message signature leaves personal fields out, so that copies with the same body share one set.
    """

    def __init__(self, template: Template, key: PrivateKey, status: Status, results: str, now: float) -> None:
        fields, body = parted(template)
        self._body = BodyHash(body)
        self._key = key
        self._status = status
        self._moment = int(now)
        static = [field for field in fields if len(field) == 1 and isinstance(field[0], bytes)]
        self._covered = _covered(static, ("dkim-signature", *COVERED), once_more=False)
        self._before = sets_of([(_name_of(field), bytes(field[0])) for field in static]) or []  # type: ignore[arg-type]
        number = len(self._before) + 1
        self._results = b"ARC-Authentication-Results: i=%d; %b;%b%b\r\n" % (
            number, key.domain.encode(), _TAB, results.replace("; ", ";\r\n\t").encode(),
        )  # fmt: skip
        # A chain can only go on whole: what a filter or a wrapper took apart is left as it is.
        is_whole = (status == "none") == (not self._before) and not is_given_up(self._before)
        self.can_seal = number <= MOST_SETS and is_whole
        self._shared = self._sealed({}) if self._body.is_shared and self.can_seal else b""

    def fields(self, values: Mapping[str, str]) -> bytes:
        """The set for the copy with these values, to stand on top of it; empty where the chain cannot go on."""
        return self._shared or (self._sealed(values) if self.can_seal else b"")

    def _sealed(self, values: Mapping[str, str]) -> bytes:
        number, key = len(self._before) + 1, self._key
        who = b"i=%d; a=%b; d=%b; s=%b; t=%d" % (
            number, key.name, key.domain.encode(), key.selector.encode(), self._moment,
        )  # fmt: skip
        message = b"ARC-Message-Signature: %b; c=relaxed/relaxed;%bh=%b;%bbh=%b%b" % (
            who, _TAB, _named(self._covered.names), _TAB, self._body.of(values), _OPEN,
        )  # fmt: skip
        whole = self._covered.shared.copy()
        whole.update(relaxed_field(message)[:-2])
        signature = _signed(message, key, whole.digest())
        seal = b"ARC-Seal: %b; cv=%b%b" % (who, self._status.encode(), _OPEN)
        own = ArcSet(self._results, signature, seal)
        # A chain that is broken is sealed alone (§5.1.2).
        sets = [own] if self._status == "fail" else [*self._before, own]
        digest = hashlib.sha256(sealed_bytes(sets)).digest()
        return _signed(seal, key, digest) + signature + self._results


def _signed(field: bytes, key: PrivateKey, digest: bytes) -> bytes:
    """A field that was open, with its signature."""
    return field + folded(base64.b64encode(key.sign(digest))) + b"\r\n"


def _name_of(field: Pieces) -> str:
    """The name in lower case; none of a slot that is a whole line, which a copy may lack."""
    first = field[0]
    return first.partition(b":")[0].strip(b" \t").lower().decode("ascii", "replace") if isinstance(first, bytes) else ""


def _head(key: PrivateKey, names: Sequence[str], moment: int) -> bytes:
    """The field up to its `bh=`."""
    return b"DKIM-Signature: v=1; a=%b; c=relaxed/relaxed; d=%b;%bs=%b; t=%d;%bh=%b;%bbh=" % (
        key.name, key.domain.encode(), _TAB, key.selector.encode(), moment, _TAB, _named(names), _TAB,
    )  # fmt: skip


def _named(names: Sequence[str]) -> bytes:
    """The names of fields in lines that are not too long; white space counts nothing around a colon."""
    return b":".join(_lines(names))


def _lines(names: Sequence[str]) -> Iterator[bytes]:
    width = 0
    for name in names:
        width += len(name) + 1
        if width > _LINE:
            width = len(name)
            yield _TAB + name.encode()
        else:
            yield name.encode()


def folded(value: bytes) -> bytes:
    """Base64 in lines that are not too long."""
    return (_TAB + b" ").join(value[start : start + _LINE] for start in range(0, len(value), _LINE))
