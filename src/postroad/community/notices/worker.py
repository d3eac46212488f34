"""The stage `templates`: fetches texts outside of any transaction, keeps them, and sends what waited for them."""

from collections.abc import Sequence

from postroad.community.lists.queries import find_list
from postroad.community.notices import actions
from postroad.community.notices.fetching import Found, ask, keep
from postroad.community.notices.models import FetchedText
from postroad.community.notices.postponed import let_go_on, restored
from postroad.community.notices.templates import not_tried
from postroad.foundation.queue.envelope import Envelope


def look(envelope: Envelope) -> Sequence[Found]:
    """Ask what is to be asked: one address, or all that a waiting notice needs."""
    if not envelope.message:
        kept = FetchedText.objects.select_related("source").filter(pk=int(envelope.recipient)).first()
        return [ask(kept.source, kept.uri)] if kept is not None and kept.source is not None else []
    notice = restored(envelope.message)
    rows = not_tried(notice.template, find_list(notice.list_id), notice.language)
    return [ask(row, uri) for row, uri in rows]


def work(envelope: Envelope, found: Sequence[Found]) -> None:
    """Keep what came, and send the notice that waited for it."""
    for one in found:
        keep(one)
    if found:
        let_go_on()
    if envelope.message:
        actions.send_postponed(restored(envelope.message))
