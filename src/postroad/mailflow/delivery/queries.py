"""What delivery knows for those who ask: each recipient's reply."""

from collections.abc import Iterator

from django.db.models import Q

from postroad.foundation.message.addresses import identity
from postroad.foundation.queue.models import Step
from postroad.mailflow.delivery.chunks import unpack_recipients, unpack_results
from postroad.mailflow.delivery.models import Chunk


def replies_of(message_id: str, recipient: str | None = None) -> Iterator[tuple[str, str, str]]:
    """List, recipient and reply ("" for none yet) for every recipient of a mail, or for one of them.

    Who was tried again has a reply for each time, the latest last. A mail that got another Message-ID on its way is
    found by the first one too.
    """
    journeys = Step.objects.filter(message_id=message_id[:998]).values("journey")
    of_mail = Q(dispatch__message_id=message_id[:998]) | Q(dispatch__journey__in=journeys)
    chunks = Chunk.objects.filter(of_mail).select_related("dispatch").order_by("pk")
    wanted = identity(recipient) if recipient is not None else None
    for chunk in chunks.iterator(chunk_size=50):
        recipients = unpack_recipients(bytes(chunk.recipients))
        results = unpack_results(bytes(chunk.results), len(recipients))
        for index, one in enumerate(recipients):
            if wanted is None or identity(one.email) == wanted:
                yield chunk.dispatch.list_id, one.email, results.get(index) or ""
