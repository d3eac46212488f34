"""Makes an accepted mail ready and sends it on: to the members, the archive, the digest, the news."""

from pathlib import Path

import msgspec

from postroad.community.lists import actions as lists
from postroad.community.lists import archivers
from postroad.community.lists import settings as list_settings
from postroad.community.lists.models import MailingList
from postroad.community.lists.queries import list_of_mail
from postroad.community.lists.register import all_settings
from postroad.community.notices import actions as notices
from postroad.community.notices import limits
from postroad.community.notices.postponed import WAITING, come_back_at
from postroad.community.notices.templates import expand, language_of
from postroad.community.subscriptions import queries as subscriptions
from postroad.community.subscriptions.senders import wants_acknowledgement
from postroad.foundation.catalogs import translator
from postroad.foundation.configuration import current
from postroad.foundation.message.addresses import identity
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.headers import Replace, apply_edits
from postroad.foundation.message.lines import with_crlf
from postroad.foundation.message.segments import Template, encode
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue import memory
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.pipeline.compile import template_of
from postroad.mailflow.pipeline.draft import Draft
from postroad.mailflow.pipeline.handlers.decorate import TEXTS
from postroad.mailflow.pipeline.pipelines import pipeline_of

_SLICE = Path(__file__).parent
UNTITLED = "Your post"
FILTERED_OUT = "A post to $list_name was filtered out"
ATTACHED = "$reason The post is attached; nobody else got it.\n"

replace = msgspec.structs.replace


def work(envelope: Envelope) -> None:
    """Prepare one mail; it goes on to the queues its kind and its list ask for."""
    raw = with_crlf(storage.load(envelope.message))
    if not envelope.list_id:
        _send_as_it_is(envelope, raw)
        return
    mailing_list = list_of_mail(envelope.list_id)
    if mailing_list is None:
        queue.record(envelope, "pipeline", "discarded", "the list was removed meanwhile")
        return
    due = come_back_at(TEXTS, mailing_list, envelope) if envelope.kind == "posting" else None
    if due is not None:
        queue.put("pipeline", envelope, due, WAITING)
        return
    draft = prepare(mailing_list, envelope, raw)
    if draft.disposal:
        _dispose(draft)
    elif envelope.kind == "posting":
        _send_post(draft)
    else:
        for_members(draft)
        _send(draft, _owners(mailing_list) if envelope.kind == "owner" else envelope.recipients)


def prepare(mailing_list: MailingList, envelope: Envelope, raw: bytes) -> Draft:
    """The mail as everybody gets it, archive and digest too; nothing is written, so `explain` may ask as well."""
    personal = list_settings.personalize.of(mailing_list) != "none"
    to_members = envelope.kind == "posting" or (envelope.kind == "digest" and not envelope.recipients)
    draft = Draft(
        replace(envelope, verp=personal and to_members), mailing_list, raw, original=raw,
        base_url=(mailing_list.domain.base_url or current().site.base_url).rstrip("/"),
        has_archive=archivers.keeps_own(mailing_list), archivers=archivers.of_mail(mailing_list),
    )  # fmt: skip
    draft.author = next(iter(draft.addresses("from")), identity(envelope.sender))
    for handler in pipeline_of(draft).everybody:
        handler(draft)
        if draft.disposal:
            break
    return draft


def for_members(draft: Draft) -> None:
    """Describe what only the members' copies get, once archive and digest have the post."""
    for handler in pipeline_of(draft).copies:
        handler(draft)


def _owners(mailing_list: MailingList) -> tuple[str, ...]:
    """Who gets what is written to the owners: they and the moderators, else the site's owner."""
    return tuple(subscriptions.moderators(mailing_list)) or (current().site.owner,)


def _send_post(draft: Draft) -> None:
    """Archive and digest get the post without prefix and footer, and before the author's address is rewritten."""
    shared = draft.edited()
    e = replace(draft.envelope, rule_hits=(), rule_misses=())
    if shared is not draft.original:
        e = replace(e, message=storage.store(shared), size=len(shared))
    names = _destinations(draft)
    for name in names:
        if name != "usenet":
            queue.put(name, e)
    _send_to_archivers(draft, e, shared)
    for_members(draft)
    if "usenet" in names:
        queue.put("usenet", _for_news(draft, e, shared))
    lists.count_post(draft.mailing_list)
    _acknowledge(draft)
    _send(draft, author=draft.author)


def _send_to_archivers(draft: Draft, envelope: Envelope, shared: bytes) -> None:
    """Archivers of others get the post with the list's fields, each in its own time."""
    if not draft.archivers or not draft.may_be_archived:
        return
    copy = Draft(
        replace(envelope, verp=False), draft.mailing_list, shared, base_url=draft.base_url,
        has_archive=draft.has_archive, archivers=draft.archivers,
    )  # fmt: skip
    for handler in pipeline_of(copy).archivers:
        handler(copy)
    raw = copy.edited()
    e = replace(copy.envelope, message=storage.store(raw), size=len(raw))
    for archiver in draft.archivers:
        queue.put("archivers", replace(e, archiver=archiver.name))


def _for_news(draft: Draft, envelope: Envelope, shared: bytes) -> Envelope:
    """The news get what the archive gets, with the subject that the members read if the list wants that."""
    subject = draft.current("subject")
    if not subject or not all_settings()["nntp_prefix_subject_too"].of(draft.mailing_list):
        return envelope
    raw = apply_edits(shared, [Replace("Subject", subject[0])])
    return replace(envelope, message=storage.store(raw), size=len(raw))


def _destinations(draft: Draft) -> list[str]:
    """The queues beside delivery that this list's settings ask for."""
    settings = all_settings()
    wanted = {
        "archive": draft.has_archive,
        "digests": settings["digests_enabled"].of(draft.mailing_list),
        "usenet": settings["gateway_to_news"].of(draft.mailing_list) and not draft.envelope.from_usenet,
    }
    return [name for name, on in wanted.items() if on]


def _acknowledge(draft: Draft) -> None:
    """Tell an author who wants to know that the post went out; no machine is told (RFC 3834 §2)."""
    if limits.is_automatic(draft.headers):
        return
    mailing_list, author = draft.mailing_list, draft.author
    key = "acknowledge", mailing_list.pk, author
    if author and memory.once(key, lambda: wants_acknowledgement(mailing_list, author)):
        notices.send_notice(
            "list:user:notice:post", mailing_list=mailing_list, to=[author],
            values={"subject": draft.original_subject or decode_words(draft.headers.get("subject") or "")},
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


def _dispose(draft: Draft) -> None:
    """The mail goes no further: the author, the owners or the site's administrator get it, or it is only noted."""
    mailing_list, reason = draft.mailing_list, draft.disposal_reason
    outcome = "discarded"
    if draft.disposal == "reject" and draft.envelope.sender:
        outcome = "rejected"
        language = notices.language_for(mailing_list, [draft.envelope.sender])
        translate = translator(_SLICE, language)
        notices.send_notice(
            "list:user:notice:rejected", mailing_list=mailing_list, to=[draft.envelope.sender], language=language,
            from_=mailing_list.address("owner"), subject=draft.text_of("subject") or translate(UNTITLED),
            values={"reasons": translate(reason)}, attachments=[draft.original],
        )  # fmt: skip
    elif draft.disposal == "forward":
        outcome = "forwarded"
        translate = translator(_SLICE, language_of(mailing_list))
        notices.send(
            list_id=mailing_list.list_id, from_=current().site.owner, to=_owners(mailing_list),
            to_header=mailing_list.address("owner"), attachments=[draft.original],
            subject=expand(translate(FILTERED_OUT), {"list_name": mailing_list.list_name}),
            body=expand(translate(ATTACHED), {"reason": translate(reason)}),
        )  # fmt: skip
    elif draft.disposal == "preserve":
        outcome = "kept"
        queue.set_aside("pipeline", draft.envelope, reason)
    queue.record(draft.envelope, "pipeline", outcome, reason)
