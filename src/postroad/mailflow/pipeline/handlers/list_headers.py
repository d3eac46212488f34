"""The fields by which programs know a list and its readers leave it (RFC 2369, 2919, 5064, 8058)."""

from postroad.community.lists import settings
from postroad.foundation.message.encoded_words import encode_phrase
from postroad.foundation.message.headers import Append, Edit, Remove
from postroad.mailflow.pipeline.draft import Draft

name = "rfc-2369"

_ALL = (
    "List-Id", "List-Help", "List-Owner", "List-Subscribe", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Post",
    "List-Archive", "Archived-At",
)  # fmt: skip


def apply(draft: Draft) -> None:
    """Replace whatever list fields the mail brought by this list's own."""
    mailing_list = draft.mailing_list
    if not settings.include_rfc2369_headers.of(mailing_list):
        return
    draft.edit(*(Remove(field) for field in _ALL if draft.has(field)))
    description = settings.description.of(mailing_list)
    list_id = f"<{mailing_list.list_id}>"
    fields = {
        "List-Id": f"{encode_phrase(description)} {list_id}" if description else list_id,
        "List-Help": f"<mailto:{mailing_list.address('request')}?subject=help>",
        "List-Owner": f"<mailto:{mailing_list.address('owner')}>",
        "List-Subscribe": f"<mailto:{mailing_list.address('join')}>",
    }
    if not draft.envelope.reduced_list_headers:
        fields |= _of_posts(draft)
    edits: list[Edit] = [Append(field, value) for field, value in sorted(fields.items())]
    draft.edit(*_archived_at(draft), *edits)
    _unsubscribe(draft)


def _of_posts(draft: Draft) -> dict[str, str]:
    mailing_list = draft.mailing_list
    posting = f"<mailto:{mailing_list.fqdn_listname}>"
    fields = {"List-Post": posting if settings.allow_list_posts.of(mailing_list) else "NO"}
    if draft.archives:
        # One field with all of them: there may be no second (RFC 2369 §3).
        fields["List-Archive"] = ", ".join(f"<{page}>" for page in draft.archives)
    return fields


def _archived_at(draft: Draft) -> list[Edit]:
    """A field for each archive that will keep the post (RFC 5064 §2)."""
    if draft.envelope.reduced_list_headers or not draft.may_be_archived:
        return []
    own = [draft.permalink] if draft.has_archive else []
    return [Append("Archived-At", f"<{link}>") for link in (*own, *draft.permalinks.values())]


def _unsubscribe(draft: Draft) -> None:
    """One click for each reader where copies are personal (RFC 8058 §3.1), else by mail."""
    mail = f"<mailto:{draft.mailing_list.address('leave')}>"
    if draft.envelope.kind in ("posting", "digest") and draft.envelope.verp:
        draft.slots["List-Unsubscribe"] = f"<${{unsubscribe_url}}>, {mail}"
        draft.slots["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    else:
        draft.edit(Append("List-Unsubscribe", mail))
