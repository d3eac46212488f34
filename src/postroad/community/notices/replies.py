"""The list answers by itself, where its owners want it (facts: mail-flow §18; RFC 3834)."""

from typing import Literal

from postroad.community.lists.models import MailingList
from postroad.community.notices import settings
from postroad.community.notices.actions import send_text
from postroad.community.notices.limits import may_answer, may_reply
from postroad.community.notices.subjects import AUTOMATIC_ANSWER
from postroad.foundation.message.headers import Headers

To = Literal["postings", "owner", "requests"]
_CHOICES = {
    "postings": (settings.autorespond_postings, settings.autoresponse_postings_text),
    "owner": (settings.autorespond_owner, settings.autoresponse_owner_text),
    "requests": (settings.autorespond_requests, settings.autoresponse_request_text),
}


def reply(mailing_list: MailingList, to: To, headers: Headers, sender: str) -> bool:
    """Answer a mail to the list, its owners or its commands if the owners want that; whether the mail goes on.

    The same address gets the same kind of answer once in the grace period; `X-Ack: yes` asks for one all the same. A
    mail that is to be thrown away goes that way even when the answer is not sent.
    """
    mode, text = _CHOICES[to]
    choice = mode.of(mailing_list)
    if choice == "none" or not may_answer(headers, sender):
        return True
    insists = (headers.get("x-ack") or "").strip().lower() == "yes"
    grace = 0.0 if insists else settings.autoresponse_grace_period.of(mailing_list)
    if may_reply(sender, mailing_list.list_id, f"reply-{to}", grace):
        original = headers.get("message-id") or ""
        threading = {"In-Reply-To": original, "References": original}
        send_text(
            mailing_list, to=[sender], subject=AUTOMATIC_ANSWER, template=text.of(mailing_list),
            headers={"Auto-Submitted": "auto-replied", "X-Ack": "No", **threading},
        )  # fmt: skip
    return choice != "respond_and_discard"
