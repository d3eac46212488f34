"""`postroad explain`: which rule would decide about a mail, and what would be sent, without doing anything."""

import json
import time
from typing import TYPE_CHECKING, BinaryIO

import click

from postroad.project.cli import home_option, open_home

if TYPE_CHECKING:
    from postroad.community.lists.models import MailingList
    from postroad.foundation.queue.envelope import Envelope


@click.command("explain")
@home_option
@click.option("--list", "name", required=True, metavar="LIST", help="List-id or posting address.")
@click.option("--sender", default="", help="Envelope sender, if another than From.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.argument("mail", type=click.File("rb"))
def command(home: str | None, name: str, sender: str, as_json: bool, mail: BinaryIO) -> None:
    """Judge the file MAIL as a post to LIST and show the outcome. Nothing is stored, sent or changed."""
    open_home(home)
    from postroad.community.lists.queries import find_list
    from postroad.community.subscriptions.queries import recipients
    from postroad.foundation.errors import NotFound
    from postroad.foundation.message.headers import Headers
    from postroad.foundation.message.lines import with_crlf
    from postroad.foundation.message.message_id import message_id_of
    from postroad.foundation.queue.envelope import Envelope
    from postroad.mailflow.moderation.engine import judge
    from postroad.mailflow.moderation.post import Post

    mailing_list = find_list(name)
    if mailing_list is None:
        raise NotFound(f"There is no list {name}; `postroad list show` names them all.")
    raw = with_crlf(mail.read())
    envelope = Envelope(
        journey="explain", message="", message_id=message_id_of(Headers.parse(raw)) or "none@explain.invalid",
        received_at=time.time(), size=len(raw), list_id=mailing_list.list_id, sender=sender,
    )  # fmt: skip
    post = Post(mailing_list, envelope, raw)
    verdict = judge(post)
    found: dict[str, object] = {
        "action": verdict.action,
        "decided_by": verdict.decided_by,
        "reasons": verdict.reasons,
        "hits": verdict.hits,
        "misses": verdict.misses,
        "member": str(post.member.effective_address) if post.member else None,
    }
    sent = ""
    if verdict.action == "accept":
        first = recipients(mailing_list.pk, 0, 1000, post.sender)
        found["recipients"] = f"{len(first)}{'+' if len(first) == 1000 else ''}"
        sent = _would_send(mailing_list, envelope, raw)
    if as_json:
        click.echo(json.dumps({**found, "sent": sent}, indent=2))
        return
    for key, value in found.items():
        click.echo(f"{key:12}{', '.join(value) if isinstance(value, tuple) else value}")
    if sent:
        click.echo(f"\nA member's copy would begin:\n\n{sent}")


def _would_send(mailing_list: "MailingList", envelope: "Envelope", raw: bytes) -> str:
    """The beginning of a member's copy."""
    from postroad.mailflow.pipeline.compile import template_of
    from postroad.mailflow.pipeline.worker import for_members, prepare

    draft = prepare(mailing_list, envelope, raw)
    for_members(draft)
    template = template_of(draft)
    copy = template.render({slot: f"<{slot}>" for slot in template.slots})
    return copy[:4000].decode("utf-8", "replace").replace("\r\n", "\n")
