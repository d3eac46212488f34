"""Removes signatures that a changed mail breaks, where the site wants that (RFC 6376 §6.1 would ignore them)."""

from postroad.foundation.configuration import current
from postroad.foundation.message.headers import Remove
from postroad.mailflow.pipeline.draft import Draft

name = "cleanse-dkim"


def apply(draft: Draft) -> None:
    """Remove DKIM-Signature and its like."""
    if current().mail.remove_dkim_headers:
        draft.edit(*(Remove(f) for f in ("DomainKey-Signature", "DKIM-Signature", "Authentication-Results")))
