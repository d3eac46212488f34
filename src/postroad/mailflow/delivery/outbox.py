"""The built-in outbox: where there is no relay, every copy that would have been sent can be read on a page."""

import asyncio
import time
from collections.abc import Callable, Iterable

from postroad.mailflow.delivery.models import OutboxMail
from postroad.mailflow.delivery.relay import EVERYTHING, Copy, Outcome

KEPT = 500
"""The newest copies that are kept."""


class Outbox:
    """A transport that delivers to a table instead of a relay."""

    def __init__(self, on_outcomes: Callable[[list[Outcome]], None]) -> None:
        self.away = ""
        self._on_outcomes = on_outcomes

    async def submit(self, copies: Iterable[Copy]) -> list[Copy]:
        """Keep the copies; all of them arrive."""
        taken = list(copies)
        await asyncio.to_thread(_keep, taken)
        self._on_outcomes(
            [
                Outcome(copy.key, index, 250, "2.0.0 kept in the outbox", "delivered", in_doubt=False)
                for copy in taken
                for index in range(len(copy.recipients))
            ]
        )
        return []

    async def close(self, grace_seconds: float = 30) -> None:
        """Nothing is in flight."""


def _keep(copies: list[Copy]) -> None:
    now = time.time()
    OutboxMail.objects.bulk_create(
        OutboxMail(
            sender=copy.sender, recipients=", ".join(copy.recipients), sent_at=now,
            content=copy.content(EVERYTHING),
        )
        for copy in copies
    )  # fmt: skip
    newest = OutboxMail.objects.order_by("-pk").values_list("pk", flat=True)[KEPT : KEPT + 1]
    for pk in newest:
        OutboxMail.objects.filter(pk__lte=pk).delete()
