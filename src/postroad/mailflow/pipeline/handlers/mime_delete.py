"""Content filter: parts a list does not want are left out, the others keep their bytes (facts: mail-flow §13)."""

from collections.abc import Sequence

from postroad.community.lists.models import MailingList
from postroad.foundation.message.decoration import decorate
from postroad.foundation.message.headers import Append
from postroad.foundation.message.html_text import html_to_text
from postroad.foundation.message.mime import MimeTooComplex
from postroad.foundation.message.text_part import text_part
from postroad.foundation.message.tree import Node, serialised, tree
from postroad.mailflow.pipeline import settings
from postroad.mailflow.pipeline.draft import Draft
from postroad.mailflow.pipeline.words import say

name = "mime-delete"

DISPOSED = "The content of the mail is not allowed on this list."
UNKNOWN = "The mail cannot be taken apart, so nobody knows whether its content is allowed on this list."
LEFT_OUT = "The list's content filter left out:"
_ALTERNATIVE = "multipart/alternative"


def apply(draft: Draft) -> None:
    """Filter the post, or end its way when nothing is left of it."""
    mailing_list = draft.mailing_list
    if not settings.filter_content.of(mailing_list) or draft.is_digest:
        return
    try:
        root = tree(draft.raw)
    except MimeTooComplex:
        draft.end(settings.filter_action.of(mailing_list), UNKNOWN)
        return
    wanted = _Wanted(draft)
    if not wanted.allows(root) or not _pruned(root, wanted):
        draft.end(settings.filter_action.of(mailing_list), DISPOSED)
        return
    if settings.collapse_alternatives.of(mailing_list):
        reportable = root.content_type != _ALTERNATIVE
        collapsed = _collapse(root, is_mail=True)
        wanted.removed += collapsed if reportable else []
    _unwrap(root, is_mail=True)
    if settings.convert_html_to_plaintext.of(mailing_list):
        _convert(draft.raw, root)
    _drop_empty_first(draft.raw, root)
    if root.is_changed:
        draft.replace_raw(serialised(draft.raw, root))
        draft.edit(Append("X-Content-Filtered-By", "Postroad"))
        if settings.filter_report.of(mailing_list) and wanted.removed:
            draft.replace_raw(decorate(draft.raw, "", _report(mailing_list, wanted.removed)).render({}))


class _Wanted:
    """Which parts may stay, and what was removed for that."""

    def __init__(self, draft: Draft) -> None:
        mailing_list = draft.mailing_list
        self.types = set(settings.filter_types.of(mailing_list))
        self.pass_types = set(settings.pass_types.of(mailing_list))
        self.extensions = _extensions(settings.filter_extensions.of(mailing_list))
        self.pass_extensions = _extensions(settings.pass_extensions.of(mailing_list))
        self.removed: list[str] = []

    def allows(self, node: Node) -> bool:
        """Whether the part's type and file name extension are wanted."""
        kinds = {node.content_type, node.content_type.partition("/")[0]}
        if kinds & self.types or (self.pass_types and not kinds & self.pass_types):
            return False
        _, dot, extension = node.part.filename.lower().rpartition(".")
        if not dot or not extension:
            return True
        return extension not in self.extensions and (not self.pass_extensions or extension in self.pass_extensions)

    def keeps(self, node: Node) -> bool:
        """The same, noting what has to go."""
        allowed = self.allows(node)
        if not allowed:
            self.removed.append(f"{node.content_type} {node.part.filename}".strip())
        return allowed


def _extensions(names: Sequence[str]) -> set[str]:
    return {name.lower().lstrip(".") for name in names}


def _pruned(node: Node, wanted: _Wanted) -> bool:
    """Drop unwanted parts in all depths; False when a part that had some has none left (step 4)."""
    had = bool(node.children)
    node.keep([child for child in node.children if wanted.keeps(child) and _pruned(child, wanted)])
    return bool(node.children) or not had


def _collapse(node: Node, *, is_mail: bool) -> list[str]:
    """Put its first part in place of every multipart/alternative (step 5); the types of the others."""
    others: list[str] = []
    while node.content_type == _ALTERNATIVE and node.children:
        others += [child.content_type for child in node.children[1:]]
        node.become(node.children[0], is_mail=is_mail)
    for child in node.children:
        others += _collapse(child, is_mail=not node.content_type.startswith("multipart/"))
    return others


def _unwrap(node: Node, *, is_mail: bool) -> None:
    """Have a multipart with one part left become that part (step 6).

    An untouched multipart/signed stays; one that lost a part is no longer signed.
    """
    if node.content_type == "multipart/signed" and not node.is_changed:
        return
    for child in node.children:
        _unwrap(child, is_mail=not node.content_type.startswith("multipart/"))
    while node.is_multipart and len(node.children) == 1:
        node.become(node.children[0], is_mail=is_mail)


def _convert(raw: bytes, node: Node) -> None:
    """Turn HTML into plain text, except what a signature covers (step 7)."""
    if node.content_type == "multipart/signed":
        return
    for child in node.children:
        _convert(raw, child)
    if node.content_type == "text/html" and not node.children:
        fields, content = text_part(html_to_text(node.part.text(raw)))
        node.replace(fields, content, "text/plain")


def _drop_empty_first(raw: bytes, root: Node) -> None:
    """Of a multipart with two parts, the first of them empty, leave the second (step 8)."""
    if not root.is_multipart or len(root.children) != 2:
        return
    first = root.children[0]
    content = raw[first.part.body : first.part.end] if first.content is None else first.content
    if not first.children and not content.strip():
        root.become(root.children[1], is_mail=True)


def _report(mailing_list: MailingList, removed: list[str]) -> str:
    """What was left out, for the readers (step 10)."""
    lines = "\n".join(f"    {kind[:100]}" for kind in removed[:50])
    return f"\n\n{say(mailing_list, LEFT_OUT)}\n{lines}\n"
