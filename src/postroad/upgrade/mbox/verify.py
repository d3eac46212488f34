"""What `verify` recounts of mailboxes: every mail, byte for byte."""

from collections.abc import Iterator, Sequence

from postroad.mailflow.archive.models import Mail
from postroad.upgrade.mbox.recount import contents
from postroad.upgrade.mbox.steps import Mailbox
from postroad.upgrade.verifying import Check, Thing


def checks(mailboxes: Sequence[Mailbox]) -> Iterator[Check]:
    """The one check."""
    lists = {box.list_id for box in mailboxes}
    here = Mail.objects.filter(mailing_list__list_id__in=lists).values_list("mailing_list__list_id", "message")
    yield Check("mails, byte for byte", lambda: mails(mailboxes), lambda: here.iterator(5000))


def mails(mailboxes: Sequence[Mailbox]) -> Iterator[Thing]:
    """Every mail of the mailboxes by list and SHA-256."""
    for box in mailboxes:
        for at, digest in contents(box.path, box.form):
            yield Thing((box.list_id, digest), "mails", (f"{box.name}@{at}",))
