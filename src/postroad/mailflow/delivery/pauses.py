"""Leaves a receiving domain in peace that puts our mail off again and again, while the others go on."""

import time

from postroad.foundation.configuration import current

PATIENCE = 20
"""So many recipients put off in a row are the domain's doing."""
LONGEST = 3600.0


class Pauses:
    """The domains that are paused, in the memory of one delivery process."""

    def __init__(self) -> None:
        self._refusals: dict[str, int] = {}
        self._until: dict[str, tuple[float, float, str]] = {}

    def __bool__(self) -> bool:
        return bool(self._until)

    def put_off(self, email: str, reply: str) -> None:
        """Count a temporary refusal; the twentieth in a row pauses the domain, and the pauses double."""
        domain = _domain(email)
        self._refusals[domain] = count = self._refusals.get(domain, 0) + 1
        if count < PATIENCE:
            return
        now = time.monotonic()
        until, seconds, _ = self._until.get(domain, (0.0, 0.0, ""))
        if until <= now:
            seconds = min(LONGEST, seconds * 2 or current().mail.retry_first_seconds)
            self._until[domain] = (now + seconds, seconds, reply)

    def delivered(self, email: str) -> None:
        """Forget what was counted: the domain takes mail."""
        if self._refusals:
            domain = _domain(email)
            self._refusals.pop(domain, None)
            self._until.pop(domain, None)

    def reason(self, email: str) -> str:
        """The refusal for which the recipient's domain is paused just now; empty when it is not."""
        until, _, reply = self._until.get(_domain(email), (0.0, 0.0, ""))
        return reply if until > time.monotonic() else ""


def _domain(email: str) -> str:
    return email.rpartition("@")[2].lower()
