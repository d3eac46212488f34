"""What would be done with a mail, and what would be sent, without doing anything."""

import time
from dataclasses import dataclass

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions.queries import recipients
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.lines import with_crlf
from postroad.foundation.message.message_id import message_id_of
from postroad.foundation.queue.envelope import Envelope
from postroad.mailflow.moderation.engine import judge
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Verdict
from postroad.mailflow.pipeline.compile import template_of
from postroad.mailflow.pipeline.worker import for_members, prepare

COUNTED = 1000
SHOWN_BYTES = 4000


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict on a mail; `recipients` and `sent` only when it would pass."""

    verdict: Verdict
    member: str | None
    recipients: str = ""
    """How many, at most "1000+"."""
    sent: str = ""
    """How a member's copy would begin."""

    def plain(self) -> dict[str, object]:
        """As JSON shows it."""
        judged = {name: getattr(self.verdict, name) for name in ("action", "decided_by", "reasons", "hits", "misses")}
        return {**judged, "member": self.member, "recipients": self.recipients, "sent": self.sent}


def explain(mailing_list: MailingList, mail: bytes, sender: str = "") -> Explanation:
    """Judge a mail as a post to a list; `sender` is the envelope sender, if another than From."""
    raw = with_crlf(mail)
    envelope = Envelope(
        journey="explain", message="", message_id=message_id_of(Headers.parse(raw)) or "none@explain.invalid",
        received_at=time.time(), size=len(raw), list_id=mailing_list.list_id, sender=sender,
    )  # fmt: skip
    post = Post(mailing_list, envelope, raw)
    verdict = judge(post)
    member = str(post.member.effective_address) if post.member else None
    if verdict.action != "accept":
        return Explanation(verdict, member)
    first = recipients(mailing_list.pk, 0, COUNTED, post.sender)
    count = f"{len(first)}{'+' if len(first) == COUNTED else ''}"
    return Explanation(verdict, member, count, _would_send(mailing_list, envelope, raw))


def _would_send(mailing_list: MailingList, envelope: Envelope, raw: bytes) -> str:
    draft = prepare(mailing_list, envelope, raw)
    for_members(draft)
    template = template_of(draft)
    copy = template.render({slot: f"<{slot}>" for slot in template.slots})
    return copy[:SHOWN_BYTES].decode("utf-8", "replace").replace("\r\n", "\n")
