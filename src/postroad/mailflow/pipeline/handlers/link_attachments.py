"""Keeps big attachments on the server: members get a link into the archive in their place."""

from postroad.foundation.message.mime import MimeTooComplex
from postroad.foundation.message.text_part import text_part
from postroad.foundation.message.tree import Node, serialised, tree
from postroad.mailflow.pipeline import settings
from postroad.mailflow.pipeline.draft import Draft
from postroad.mailflow.pipeline.words import say

name = "link-attachments"

KEPT = "Attachment kept on the server: $name ($type, $size KB)"
NAMELESS = "without a name"
_KILOBYTE = 1024


def apply(draft: Draft) -> None:
    """Replace attachments above the list's size by links; without an archive they travel with the mail."""
    most = settings.link_attachments_above.of(draft.mailing_list) * _KILOBYTE
    if not most or not (draft.has_archive and draft.may_be_archived) or len(draft.raw) <= most:
        return
    try:
        root = tree(draft.raw)
    except MimeTooComplex:
        return
    leaves = [node for node in root.walk() if not node.children]
    covered = {id(node) for signed in root.walk() if _is_sealed(signed) for node in signed.walk()}
    for number, node in enumerate(leaves):
        if (
            node is not root
            and node.part.end - node.part.body > most
            and _is_attachment(node)
            and id(node) not in covered
        ):
            node.replace(*_notice(draft, node, number), "text/plain")
    draft.replace_raw(serialised(draft.raw, root))


def _is_sealed(node: Node) -> bool:
    return node.content_type in ("multipart/signed", "multipart/encrypted")


def _is_attachment(node: Node) -> bool:
    part = node.part
    return not part.content_type.startswith("text/") or part.disposition == "attachment" or bool(part.filename)


def _notice(draft: Draft, node: Node, number: int) -> tuple[bytes, bytes]:
    """Name, kind, size and address of what was kept; `number` counts the parts as the archive does."""
    part = node.part
    size = max(1, len(part.decoded(draft.raw)) // _KILOBYTE)
    shown = " ".join(part.filename.split())[:200] or say(draft.mailing_list, NAMELESS)
    told = say(draft.mailing_list, KEPT, {"name": shown, "type": part.content_type, "size": str(size)})
    return text_part(f"{told}\n{draft.permalink}attachment/{number}/\n", inline=True)
