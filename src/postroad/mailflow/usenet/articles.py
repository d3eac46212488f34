"""A post as an article for the newsgroup, and an article as a post for the list (facts: mail-flow §20)."""

import re
from collections import Counter

from postroad.community.lists.models import MailingList
from postroad.foundation.configuration import current
from postroad.foundation.message.headers import Append, Edit, Headers, Remove, Replace, apply_edits
from postroad.mailflow.usenet import settings

# What an article may hold only once (RFC 5536 §3); further fields are kept under the second name.
_ONCE = {
    "to": "X-Original-To", "cc": "X-Original-CC", "content-transfer-encoding": "X-Original-Content-Transfer-Encoding",
    "mime-version": "X-MIME-Version", "subject": "X-Original-Subject", "reply-to": "X-Original-Reply-To",
    "organization": "X-Original-Organization",
}  # fmt: skip


def article_of(mailing_list: MailingList, raw: bytes, message_id: str) -> bytes:
    """The post as the news server wants it: Newsgroups, Message-ID, Lines, Approved where the group is moderated.

    List-Id tells where it came from, so that it is not fetched again.
    """
    headers = Headers.parse(raw)
    group = settings.linked_newsgroup.of(mailing_list)
    groups = [name.strip() for value in headers.get_all("newsgroups") for name in value.split(",") if name.strip()]
    edits: list[Edit] = [Remove(name) for name in current().nntp.remove_headers]
    edits += [Remove("Approved"), Replace("Newsgroups", ",".join(dict.fromkeys([*groups, group])))]
    if settings.newsgroup_moderation.of(mailing_list) in ("moderated", "open_moderated"):
        edits.append(Append("Approved", mailing_list.fqdn_listname))
    edits += [Replace("Message-ID", f"<{message_id}>"), Replace("List-Id", f"<{mailing_list.list_id}>")]
    body = raw[headers.body_offset :]
    edits.append(Replace("Lines", str(body.count(b"\n") + (not body.endswith(b"\n") and bool(body)))))
    if "subject" not in headers:
        edits.append(Append("Subject", "(no subject)"))  # RFC 5536 §3.1.5 asks for one.
    return apply_edits(raw, [*_renamed(headers), *edits])


def _renamed(headers: Headers) -> list[Edit]:
    """Second and later fields of what may stand once, under another name."""
    counts = Counter(name.lower() for name in headers.names())
    edits: list[Edit] = []
    for name, other in _ONCE.items():
        if counts[name] > 1:
            first, *rest = headers.get_all(name)
            edits += [Remove(name), Append(name.title(), first), *(Append(other, value) for value in rest)]
    return edits


def is_ours(mailing_list: MailingList, raw: bytes) -> bool:
    """Whether an article came from this list, so that it must not come back."""
    value = Headers.parse(raw).get("list-id") or ""
    match = re.search(r"<([^<>]*)>\s*$", value)
    return (match[1] if match else value.strip()).lower() == mailing_list.list_id.lower()


def post_of(mailing_list: MailingList, article: bytes) -> bytes:
    """The article addressed to the list; its own To is kept beside."""
    headers = Headers.parse(article)
    edits: list[Edit] = [Remove("X-Originally-To")]
    edits += [Append("X-Originally-To", value) for value in headers.get_all("to")]
    edits.append(Replace("To", mailing_list.fqdn_listname))
    return apply_edits(article, edits)
