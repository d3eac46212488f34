"""What delivery knows for those who ask: each recipient's reply."""

from collections.abc import Iterator

from postroad.mailflow.delivery.chunks import unpack_recipients, unpack_results
from postroad.mailflow.delivery.models import Chunk


def replies_of(message_id: str, recipient: str | None = None) -> Iterator[tuple[str, str, str]]:
    """List, recipient and latest reply ("" for none yet) for every recipient of a mail, or for one of them."""
    chunks = Chunk.objects.filter(dispatch__message_id=message_id[:998]).select_related("dispatch").order_by("pk")
    for chunk in chunks.iterator(chunk_size=50):
        recipients = unpack_recipients(bytes(chunk.recipients))
        results = unpack_results(bytes(chunk.results), len(recipients))
        for index, one in enumerate(recipients):
            if recipient is None or one.email == recipient.lower():
                yield chunk.dispatch.list_id, one.email, results.get(index) or ""
