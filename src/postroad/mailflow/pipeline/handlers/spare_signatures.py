"""On a transparent list: takes back edits of fields that the author's signature covers, as far as that is safe."""

from postroad.foundation.message.addresses import domain_forms
from postroad.foundation.message.headers import Edit, RemovePrefix
from postroad.foundation.message.signatures import broken_by, signatures_of
from postroad.mailflow.pipeline.draft import Draft

name = "spare-signatures"

# Other lists' fields would mislead programs, and passwords and hidden recipients must not go out.
_ALWAYS = frozenset({
    "approved", "approve", "x-approved", "x-approve", "urgent", "bcc", "archived-at", "list-id", "list-help",
    "list-owner", "list-subscribe", "list-unsubscribe", "list-unsubscribe-post", "list-post", "list-archive",
})  # fmt: skip


def apply(draft: Draft) -> None:
    """Keep covered fields; a post that its author's domain still vouches for needs no mitigation of its From."""
    signatures = signatures_of(draft.headers)
    covered = {field for signature in signatures for field in signature.fields}
    draft.edits = [edit for edit in draft.edits if not (_field(edit) in covered and _field(edit) not in _ALWAYS)]
    vouching = {signature.domain for signature in signatures if _is_of(draft, signature.domain)}
    if vouching and not covered.intersection(name.lower() for name in draft.slots):
        draft.keeps_signatures = not vouching <= broken_by(draft.original, draft.edited()).keys()


def _is_of(draft: Draft, signer: str) -> bool:
    """Whether the one who signed is the author's domain, or above or below it (RFC 9989 §4.4.1)."""
    domain, signer = (domain_forms(name)[0] for name in (draft.author.rpartition("@")[2], signer))
    return bool(domain) and (domain == signer or domain.endswith(f".{signer}") or signer.endswith(f".{domain}"))


def _field(edit: Edit) -> str:
    return "" if isinstance(edit, RemovePrefix) else edit.name.lower()
