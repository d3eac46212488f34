"""Fields every mail of a list has (facts: mail-flow §12, cook-headers)."""

from importlib.metadata import version

from postroad.foundation.message.headers import Append, Replace
from postroad.foundation.message.message_id import message_id_hash
from postroad.mailflow.pipeline.draft import Draft

name = "cook-headers"

_VERSION = f"Postroad {version('postroad')}"


def apply(draft: Draft) -> None:
    """Message-ID and its hash, Precedence, where it was, and what made the mail."""
    if not draft.is_own:
        apply_hash(draft)
    if draft.envelope.kind == "posting":
        draft.edit(Append("X-Loop", draft.mailing_list.fqdn_listname))  # By this one, `loop` knows it again.
    if not draft.has("x-mailman-version"):
        draft.edit(Append("X-Mailman-Version", _VERSION))
    if not draft.has("precedence"):
        draft.edit(Append("Precedence", "list"))


def apply_hash(draft: Draft) -> None:
    """The name under which archives know the mail, and by which `loop` knows it again."""
    if not draft.has("message-id"):
        draft.edit(Append("Message-ID", f"<{draft.envelope.message_id}>"))
    digest = message_id_hash(draft.envelope.message_id)
    draft.edit(Replace("Message-ID-Hash", digest), Replace("X-Message-ID-Hash", digest))
