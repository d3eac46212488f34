"""The mail moderation writes: a post waits, is refused, or is forwarded (facts: mail-flow §10)."""

from collections.abc import Sequence
from pathlib import Path

from postroad.community.notices import actions as notices
from postroad.community.notices import limits
from postroad.community.notices import settings as notice_settings
from postroad.community.notices.templates import expand, language_of
from postroad.community.subscriptions.queries import moderators
from postroad.community.subscriptions.tokens import new_token
from postroad.foundation.catalogs import translator
from postroad.foundation.configuration import current
from postroad.foundation.message.compose import compose
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.reasons import told

_SLICE = Path(__file__).parent
DECIDE = """\
Answer with one of the words accept, reject or discard alone on the first line, or with

    Approved: PASSWORD

where PASSWORD is the list's moderator password, to let the post pass. An answer
without any of them drops it.
"""
LAST = "$subject (the last notice today)"
REFUSED = 'Posting of your message titled "$subject"'
FORWARDED = "Forward of moderated message"
ATTACHED = "A held message is attached.\n"
DISCARDED = "Discarded: $subject"
DISCARDED_ATTACHED = "The attached post is by a stranger and was discarded automatically. Nobody else got it.\n"

MOST_NOTICES_A_DAY = 100
"""To the moderators of one list about held posts; a flood of spam must not become a flood of notices."""


def tell_of_hold(post: Post, held: HeldMessage, reasons: Sequence[str]) -> str:
    """Tell sender and moderators, as far as the list wants it, that a post waits.

    Answers with the secret under which moderators may decide by mail, or empty when they were not told.
    """
    values = {"subject": held.subject[:200], "sender_email": held.sender, "sender": held.sender}
    if notice_settings.respond_to_post_requests.of(post.mailing_list):
        _tell_sender(post, reasons, values)
    if not notice_settings.admin_immed_notify.of(post.mailing_list):
        return ""
    return _tell_moderators(post, reasons, values)


def _tell_moderators(post: Post, reasons: Sequence[str], values: dict[str, str]) -> str:
    mailing_list, owner = post.mailing_list, post.mailing_list.address("owner")
    language = language_of(mailing_list)
    translate = translator(_SLICE, language)
    number = limits.count_answer(owner, mailing_list.list_id, "held")
    if number > MOST_NOTICES_A_DAY:
        return ""
    token = new_token()
    confirm = compose(
        from_=mailing_list.address("request"), to=owner, subject=f"confirm {token}",
        text=translate(DECIDE),
    )  # fmt: skip
    notices.send_to_owners(
        mailing_list, "list:admin:action:post", {**values, "reasons": told(reasons, language)},
        [post.new_raw or post.raw, confirm], about=translate(LAST) if number == MOST_NOTICES_A_DAY else "$subject",
    )  # fmt: skip
    return token


def _tell_sender(post: Post, reasons: Sequence[str], values: dict[str, str]) -> None:
    """Tell the sender that the post waits, so many times a day."""
    number = _count_answer(post, "hold")
    if not number:
        return
    last = number == current().mail.max_autoresponses_per_day
    language = notices.language_for(post.mailing_list, [post.sender])
    notices.send_notice(
        "list:user:notice:no-more-today" if last else "list:user:notice:hold", mailing_list=post.mailing_list,
        to=[post.sender], values={**values, "count": str(number), "reasons": told(reasons, language)},
        language=language,
    )  # fmt: skip


def refuse(post: Post, reasons: Sequence[str]) -> None:
    """Tell the sender why the post was refused, with the post attached."""
    if _count_answer(post, "reject"):
        language = notices.language_for(post.mailing_list, [post.sender])
        notices.send_notice(
            "list:user:notice:rejected", mailing_list=post.mailing_list, to=[post.sender],
            from_=post.mailing_list.address("owner"), subject=post.subject, language=language,
            values={"reasons": told(reasons, language)}, attachments=[post.new_raw or post.raw],
        )  # fmt: skip


def tell_of_discard(post: Post) -> None:
    """Show owners and moderators the post of a stranger that was thrown away, so many times a day."""
    mailing_list, owner = post.mailing_list, post.mailing_list.address("owner")
    to = moderators(mailing_list)
    if not to or limits.count_answer(owner, mailing_list.list_id, "discarded") > MOST_NOTICES_A_DAY:
        return
    translate = translator(_SLICE, language_of(mailing_list))
    notices.send(
        list_id=mailing_list.list_id, from_=mailing_list.address("bounces"), to=to, to_header=owner,
        subject=expand(translate(DISCARDED), {"subject": post.subject[:200]}), body=translate(DISCARDED_ATTACHED),
        attachments=[post.raw],
    )  # fmt: skip


def _count_answer(post: Post, kind: str) -> int:
    """Which answer of today this one to the sender is, beginning with 1; 0 when there must be none."""
    if not post.may_be_answered:
        return 0
    number = limits.count_answer(post.sender, post.mailing_list.list_id, kind)
    most = current().mail.max_autoresponses_per_day
    return 0 if most and number > most else number


def tell_of_rejection(held: HeldMessage, comment: str) -> None:
    """Tell the author that a moderator said no, and why."""
    language = notices.language_for(held.mailing_list, [held.sender])
    request = expand(translator(_SLICE, language)(REFUSED), {"subject": held.subject})
    notices.refuse_request(held.mailing_list, held.sender, comment, request=request, language=language)


def forward(held: HeldMessage, to: Sequence[str]) -> None:
    """Send somebody a held post as an attachment."""
    translate = translator(_SLICE, language_of(held.mailing_list))
    notices.send(
        list_id=held.mailing_list.list_id, from_=held.mailing_list.address("owner"), to=to, to_header=", ".join(to),
        subject=translate(FORWARDED), body=translate(ATTACHED),
        attachments=[storage.load(held.message)],
    )  # fmt: skip
