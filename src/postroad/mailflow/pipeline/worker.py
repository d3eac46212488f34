"""Makes an accepted mail ready and sends it on: to the members, the archive, the digest, the news."""

from datetime import UTC, datetime

import msgspec
from django.db.models import F

from postroad.community.lists import settings as list_settings
from postroad.community.lists.models import MailingList
from postroad.community.lists.register import all_settings
from postroad.community.notices import actions as notices
from postroad.community.subscriptions import queries as subscriptions
from postroad.foundation.configuration import current
from postroad.foundation.message.segments import Template, encode
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.pipeline.compile import template_of
from postroad.mailflow.pipeline.draft import Draft, with_crlf
from postroad.mailflow.pipeline.pipelines import OWNER, PIPELINES, POSTING_COPIES, VIRGIN

replace = msgspec.structs.replace


def work(envelope: Envelope) -> None:
    """Prepare one mail; it goes on to the queues its kind and its list ask for."""
    raw = with_crlf(storage.load(envelope.message))
    if not envelope.list_id:
        _send_as_it_is(envelope, raw)
        return
    mailing_list = MailingList.objects.select_related("domain").filter(list_id=envelope.list_id).first()
    if mailing_list is None:
        queue.record(envelope, "pipeline", "discarded", "the list was removed meanwhile")
        return
    draft = prepare(mailing_list, envelope, raw)
    if draft.dropped or draft.rejected:
        _end(draft)
    elif envelope.kind == "posting":
        _send_post(draft)
    elif envelope.kind == "owner":
        _send(draft, recipients=tuple(subscriptions.moderators(mailing_list)) or (current().site.owner,))
    else:
        _send(draft, recipients=envelope.recipients)


def prepare(mailing_list: MailingList, envelope: Envelope, raw: bytes) -> Draft:
    """The mail with every edit its pipeline describes; nothing is written, so `explain` may ask too."""
    personal = current().mail.personal_copies or list_settings.personalize.of(mailing_list) != "none"
    envelope = replace(envelope, verp=personal and envelope.kind == "posting")
    base = (mailing_list.domain.base_url or current().site.base_url).rstrip("/")
    draft = Draft(envelope, mailing_list, raw, base)
    handlers = {"posting": PIPELINES[_posting_pipeline(mailing_list)], "owner": OWNER}.get(envelope.kind, VIRGIN)
    for handler in handlers:
        handler(draft)
        if draft.dropped or draft.rejected:
            break
    return draft


def for_members(draft: Draft) -> None:
    """Describe what only the members' copies get, once archive and digest have the post."""
    for handler in POSTING_COPIES:
        handler(draft)


def _posting_pipeline(mailing_list: MailingList) -> str:
    name = list_settings.posting_pipeline.of(mailing_list)
    return name if name in PIPELINES else "default-posting-pipeline"


def _send_post(draft: Draft) -> None:
    """Archive and digest get the post before the author's address is rewritten for receivers' sake."""
    e = draft.envelope
    plain = e if not draft.filtered else replace(e, message=storage.store(draft.raw))
    for name in _destinations(draft):
        queue.put(name, replace(plain, rule_misses=()))
    for_members(draft)
    author = next(iter(draft.addresses("from") or [e.sender.lower()]), "")
    MailingList.objects.filter(pk=draft.mailing_list.pk).update(
        post_id=F("post_id") + 1, last_post_at=datetime.now(UTC)
    )
    _acknowledge(draft, author)
    _send(draft, author=author)


def _destinations(draft: Draft) -> list[str]:
    """The queues beside delivery that this list's settings ask for."""
    settings = all_settings()
    wanted = {
        "archive": draft.mailing_list.archive_policy != "never",
        "digests": settings["digests_enabled"].of(draft.mailing_list),
        "usenet": settings["gateway_to_news"].of(draft.mailing_list) and not draft.envelope.from_usenet,
    }
    return [name for name, on in wanted.items() if on]


def _acknowledge(draft: Draft, author: str) -> None:
    """Tell an author who wants to know that the post went out."""
    member = subscriptions.member_of(draft.mailing_list, author) if author else None
    if member is not None and subscriptions.effective_preferences(member)["acknowledge_posts"]:
        notices.send_notice(
            "list:user:notice:post", mailing_list=draft.mailing_list, to=[author],
            subject=f"Your post to {draft.mailing_list.list_name} was sent",
            values={"subject": draft.original_subject},
        )  # fmt: skip


def _send(draft: Draft, recipients: tuple[str, ...] = (), author: str = "") -> None:
    template = storage.store(encode(template_of(draft)))
    envelope = replace(
        draft.envelope, template=template, recipients=recipients, author=author, explicit=draft.explicit,
        rule_hits=(), rule_misses=(),
    )  # fmt: skip
    queue.put("delivery", envelope)
    to = f"for {len(recipients)} recipients" if recipients else "for the members"
    queue.record(draft.envelope, "pipeline", "prepared", to)


def _send_as_it_is(envelope: Envelope, raw: bytes) -> None:
    """Mail of the site itself: it is ready as it was written."""
    template = storage.store(encode(Template([raw])))
    queue.put("delivery", replace(envelope, template=template, verp=False))
    queue.record(envelope, "pipeline", "prepared", f"for {len(envelope.recipients)} recipients")


def _end(draft: Draft) -> None:
    """The mail goes no further: it is told to the author, or only noted."""
    if draft.rejected:
        notices.send_notice(
            "list:user:notice:rejected", mailing_list=draft.mailing_list, to=[draft.envelope.sender],
            subject=draft.text_of("subject") or "Your post", values={"reasons": draft.rejected},
            attachments=[draft.raw],
        )  # fmt: skip
    queue.record(
        draft.envelope, "pipeline", "rejected" if draft.rejected else "discarded", draft.rejected or draft.dropped
    )
