"""Notes who got the mail directly already: the recipients' query leaves those out who want no second copy."""

from postroad.mailflow.pipeline.draft import Draft

name = "avoid-duplicates"


def apply(draft: Draft) -> None:
    """Collect the addresses of To and Cc that are not the list's own."""
    own = {draft.mailing_list.address(part) for part in ("", "bounces", "owner", "request")}
    named = draft.addresses("to", "cc", "resent-to", "resent-cc")
    draft.explicit = tuple(dict.fromkeys(a for a in named if a not in own))[:500]
    if draft.explicit and draft.envelope.verp:
        draft.slots["X-Mailman-Copy"] = "$copy_header"
