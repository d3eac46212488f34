"""A post on its way to be made ready: the author's bytes, untouched, and the edits described so far."""

from dataclasses import dataclass, field

from postroad.community.lists.archivers import Archiver
from postroad.community.lists.models import MailingList
from postroad.foundation.message.addresses import identity, parse_addresses
from postroad.foundation.message.archiving import may_be_archived
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.headers import Append, Edit, Headers, Remove, RemovePrefix, Replace, apply_edits
from postroad.foundation.message.message_id import message_id_hash
from postroad.foundation.queue.envelope import Envelope


@dataclass(slots=True)
class Draft:
    """What handlers read and describe. `raw` has CRLF lines; only a content filter or a wrapper replaces it."""

    envelope: Envelope
    mailing_list: MailingList
    raw: bytes
    base_url: str = ""
    has_archive: bool = False
    """Whether the list has an archive here."""
    archivers: tuple[Archiver, ...] = ()
    """Archivers of others that the list uses."""
    author: str = ""
    """Lower-case address of the author, known also when an anonymous list has taken it from the header."""
    original: bytes = b""
    """The bytes as they came, whatever replaced `raw` since."""
    edits: list[Edit] = field(default_factory=list)
    slots: dict[str, str] = field(default_factory=dict)
    """Header lines that differ from copy to copy: name of the field → its value, with `${slot}` in it."""
    header_text: str = ""
    footer_text: str = ""
    original_subject: str = ""
    explicit: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    """The topics it fits; none where the list sorts nothing."""
    keeps_signatures: bool = False
    """The author's DKIM signatures still verify, so that From need not be changed."""
    disposal: str = ""
    """What becomes of a mail that goes no further: reject, forward, preserve or discard."""
    disposal_reason: str = ""
    _headers: Headers | None = None

    @property
    def headers(self) -> Headers:
        """The header as it came."""
        if self._headers is None:
            self._headers = Headers.parse(self.raw)
        return self._headers

    def replace_raw(self, raw: bytes) -> None:
        """Put other bytes in place of the author's: what a content filter left, or a wrapper."""
        self.raw = raw
        self._headers = None

    def edit(self, *edits: Edit) -> None:
        """Describe further edits, in order."""
        self.edits += edits

    def edited(self) -> bytes:
        """The mail with the edits so far; without any, exactly the author's bytes."""
        return apply_edits(self.raw, self.edits)

    def end(self, disposal: str, reason: str) -> None:
        """Let the mail go no further."""
        self.disposal, self.disposal_reason = disposal, reason

    def current(self, name: str) -> list[str]:
        """The values of a field as the edits so far leave them."""
        values, wanted = self.headers.get_all(name), name.lower()
        for edit in self.edits:
            if isinstance(edit, RemovePrefix) or edit.name.lower() != wanted:
                continue
            match edit:
                case Remove():
                    values = []
                case Replace(_, value):
                    values = [value]
                case Append(_, value):
                    values = [*values, value]
        return values

    def has(self, name: str) -> bool:
        """Whether there is such a field after the edits so far."""
        return bool(self.current(name))

    def text_of(self, name: str) -> str:
        """The first value of a field, decoded."""
        values = self.current(name)
        return decode_words(values[0]) if values else ""

    def addresses(self, *names: str) -> list[str]:
        """Lower-case addresses in these fields."""
        values = [value for name in names for value in self.current(name)]
        return [identity(address.email) for address in parse_addresses(values)]

    @property
    def is_own(self) -> bool:
        """Whether Postroad wrote it itself."""
        return self.envelope.kind in ("notice", "digest")

    @property
    def is_digest(self) -> bool:
        """Whether it is a digest."""
        return self.envelope.kind == "digest"

    @property
    def may_be_archived(self) -> bool:
        """Whether it is a post whose author does not mind archives."""
        return self.envelope.kind == "posting" and may_be_archived(self.headers)

    @property
    def permalink(self) -> str:
        """Where our own archive shows it (RFC 5064)."""
        page = f"{self.base_url}/lists/{self.mailing_list.list_id}"
        return f"{page}/message/{message_id_hash(self.envelope.message_id)}/"

    @property
    def archives(self) -> list[str]:
        """The pages of the list's archives, our own first."""
        own = [f"{self.base_url}/lists/{self.mailing_list.list_id}/"] if self.has_archive else []
        return own + [page for archiver in self.archivers if (page := archiver.page(self.mailing_list))]

    @property
    def permalinks(self) -> dict[str, str]:
        """Where archives of others show the post, by the archiver's name."""
        digest = message_id_hash(self.envelope.message_id)
        links = {archiver.name: archiver.permalink(self.mailing_list, digest) for archiver in self.archivers}
        return {name: link for name, link in links.items() if link}
