"""Collects posts, and builds what was collected: outside of any transaction, since that takes its time."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from postroad.community.notices.postponed import fetch_never_asked
from postroad.community.subscriptions.queries import has_readers
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import DigestReaders, Envelope
from postroad.mailflow.digests import actions, attached, page, plain
from postroad.mailflow.digests.frame import TEXTS, Frame
from postroad.mailflow.digests.items import items_of
from postroad.mailflow.digests.models import Issue
from postroad.mailflow.digests.queries import posts_of

FORMATS: Sequence[tuple[Callable[[Frame], bytes], tuple[str, ...]]] = (
    # how the posts are put together, for members of which modes
    (plain.content, ("plaintext_digests",)),
    (attached.content, ("mime_digests", "summary_digests")),
    (page.content, ("html_digests",)),
)


def collect(envelope: Envelope) -> None:
    """Keep a post for the list's digest."""
    actions.collect(envelope)


class Work(NamedTuple):
    """An issue and its finished mails."""

    issue: Issue
    built: list[actions.Built]


def build(envelope: Envelope) -> Work | None:
    """Make the mails of an issue, of the formats that anybody reads; None when its list was removed."""
    issue = Issue.objects.select_related("mailing_list__domain").filter(pk=envelope.issue).first()
    if issue is None:
        return None
    first = posts_of(issue).__next__()
    wanted = [
        (form, readers)
        for form, modes in FORMATS
        if has_readers(
            issue.mailing_list, readers := DigestReaders(modes, issue.frequency, first.received_at)
        )
    ]  # fmt: skip
    if not wanted:
        return Work(issue, [])
    fetch_never_asked(TEXTS, issue.mailing_list)
    frame = Frame.of(issue, list(items_of(issue.mailing_list, posts_of(issue))))
    built = []
    for form, readers in wanted:
        message_id, fields = frame.fields()
        built.append(actions.Built(fields + form(frame), message_id, readers))
    return Work(issue, built)


def send(envelope: Envelope, work: Work | None) -> None:
    """Hand the finished mails on."""
    if work is None:
        queue.record(envelope, "issues", "discarded", "the list was removed meanwhile")
    else:
        actions.release(envelope, work.issue, work.built)
