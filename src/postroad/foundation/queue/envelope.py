"""What travels between two stages: one frozen envelope beside the stored bytes of the mail."""

from typing import Literal

import msgspec

Kind = Literal["posting", "owner", "bounces", "confirm", "join", "leave", "request", "notice", "digest"]


class DigestReaders(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which members get one issue of a digest."""

    modes: tuple[str, ...]
    """Their delivery modes."""
    frequency: str = ""
    """`daily`, `weekly` or `monthly` for those who chose their own; empty for the list's."""
    since: float = 0.0
    """When the issue's first post came, seconds since 1970: who left such digests since then still gets it."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything the next stage must know about a mail that the mail itself does not say.

    Each field is written by the one stage named before its group and only read by the others;
    `msgspec.structs.replace` makes the next stage's envelope.
    """

    # intake: what the SMTP or LMTP dialogue said.
    journey: str
    """Names one accepted mail for one list on its whole way; every step of `trace` carries it."""
    message: str
    """SHA-256 (hexadecimal) of the stored bytes."""
    message_id: str
    """Message-ID without its angle brackets; made by intake where the mail has none."""
    received_at: float
    """When it was accepted, seconds since 1970."""
    size: int = 0
    """Bytes as received."""
    kind: Kind = "posting"
    """Which of the list's addresses it came to; `notice` and `digest` are Postroad's own mail."""
    list_id: str = ""
    """The list, empty for mail of the site itself."""
    sender: str = ""
    """Envelope sender (MAIL FROM), empty for a bounce."""
    recipient: str = ""
    """Envelope recipient as it was given, with its VERP or token part."""
    from_usenet: bool = False
    """It came through the news gateway."""
    signed_in: str = ""
    """Lower-case address of the author who is signed in here and wrote it on a page; no mail and no client sets it."""

    # moderation: how it was judged.
    rule_hits: tuple[str, ...] = ()
    """Names of the rules that hit, in order."""
    rule_misses: tuple[str, ...] = ()
    """Names of the rules that were asked and did not hit."""
    moderation_reasons: tuple[str, ...] = ()
    """One sentence for each hit."""
    moderation_sender: str = ""
    """The sender the judgement is about."""
    moderation_action: str = ""
    """The action a member's or nonmember's moderation asked for."""
    dmarc: bool = False
    """The author's domain asks receivers to refuse changed mail, so From must be rewritten or wrapped."""
    arc_status: Literal["", "none", "pass", "fail"] = ""
    """Whether the ARC chain it came with was whole (RFC 8617); empty when nobody asked."""
    arc_results: str = ""
    """What authentication said about it on arrival, as in an Authentication-Results field."""
    has_approved: bool = False
    """The mail carried some Approved password."""
    approved: bool = False
    """A moderator, in person or by password, let it pass."""
    approved_at: float = 0.0
    """When a held mail was accepted, seconds since 1970."""

    # notices, digests: Postroad's own mail.
    recipients: tuple[str, ...] = ()
    """Fixed recipients; empty means the list's."""
    envelope_sender: str = ""
    """Return path to use instead of the list's -bounces address."""
    reduced_list_headers: bool = False
    """Neither List-Post nor List-Archive, as in mail to one person."""
    digest: DigestReaders | None = None
    """For a finished digest, which members get it."""
    issue: int = 0
    """Key of the digest's issue that is to be built."""
    fast_track: bool = True
    """Own mail keeps its own Reply-To and Subject."""

    # pipeline: the prepared mail and who gets it.
    template: str = ""
    """Key of the stored, encoded `message.segments.Template` that copies are spliced from."""
    verp: bool = True
    """Each copy has a keyed return path of its own; False sends bulk transactions of many recipients."""
    author: str = ""
    """Address of the author, who may not want own posts."""
    explicit: tuple[str, ...] = ()
    """Lower-case addresses in To and Cc: they got the mail already and may not want it twice."""

    archiver: str = ""
    """Which archiver of others gets it, by its name in `lists.archivers`."""

    # delivery: where the prepared copies stand.
    dispatch: int = 0
    """Key of the prepared mail."""
    chunk: int = 0
    """Key of the chunk of recipients; 0 asks for the next chunks to be cut."""


_decoder = msgspec.json.Decoder(Envelope)
_encoder = msgspec.json.Encoder()


def encode(envelope: Envelope) -> bytes:
    """The envelope as it is stored."""
    return _encoder.encode(envelope)


def decode(data: bytes | str | memoryview) -> Envelope:
    """The envelope again; a field that a newer release added takes its default."""
    return _decoder.decode(bytes(data) if isinstance(data, memoryview) else data)
