"""The delivery report of a recipient whom the relay refused in the dialogue (RFC 3464)."""

from postroad.foundation.configuration import current
from postroad.foundation.message.compose import compose
from postroad.foundation.queue.envelope import Envelope


def failure_report(envelope: Envelope, email: str, reply: str) -> bytes:
    """A short report naming the recipient and the relay's reply, as bounces expects it."""
    clean = reply.replace("\r", " ").replace("\n", " ")
    return compose(
        from_=f"postmaster@{current().site.owner.partition('@')[2]}",
        to=envelope.envelope_sender or current().site.owner,
        subject="Delivery failed",
        text=(
            f"The relay refused this recipient.\n\nFinal-Recipient: rfc822; {email}\nAction: failed\n"
            f"Status: {clean.split(' ')[1] if clean.count(' ') and '.' in clean.split(' ')[1] else '5.0.0'}\n"
            f"Diagnostic-Code: smtp; {clean}\n"
        ),
        headers={"Auto-Submitted": "auto-replied"},
    )
