"""How often an address gets mail that somebody else may have caused (facts: security T1–T4, RFC 3834 §2)."""

from datetime import UTC, date, datetime, timedelta

from django.db.models import F

from postroad.community.lists.models import MailingList
from postroad.community.notices.models import AutoResponse, Silenced
from postroad.foundation.configuration import current
from postroad.foundation.message.addresses import identity
from postroad.foundation.message.headers import Headers

QUESTIONS_A_DAY = 3
"""Questions to one address over the whole site; whoever wants to annoy somebody finds this the end."""

_MACHINES = ("mailer-daemon", "postmaster", "listserv", "majordomo", "noreply", "no-reply")
_MACHINE_PARTS = ("-request", "-bounces", "-bounce", "-relay", "-errors")
_DOTLESS = ("gmail.com", "googlemail.com")


def is_automatic(headers: Headers) -> bool:
    """Whether a machine wrote it, so that it must not be answered (RFC 3834 §2, RFC 5230 §4.6)."""
    automatic = (headers.get("auto-submitted") or "no").partition(";")[0].strip().lower() != "no"
    bulk = (headers.get("precedence") or "").strip().lower() in ("bulk", "junk", "list")
    wanted = (headers.get("x-ack") or "").strip().lower()
    from_list = any(name.lower().startswith("list-") for name in headers.names())
    nobody = (headers.get("return-path") or "").strip() == "<>"
    return automatic or from_list or nobody or wanted == "no" or "x-no-ack" in headers or (bulk and wanted != "yes")


def may_answer(headers: Headers, sender: str) -> bool:
    """Whether an automatic answer to this envelope sender can hurt nobody and start no loop."""
    local = sender.partition("@")[0].lower()
    machine = local in _MACHINES or local.startswith("owner-") or local.endswith(_MACHINE_PARTS)
    return bool(sender) and not machine and not is_automatic(headers)


def may_ask(mailing_list: MailingList, email: str, *, invited: bool = False) -> bool:
    """Count a question to this address; whether it may be sent.

    One for an address and list a day, and `QUESTIONS_A_DAY` over the site; none to who wants none. Invitations come
    from known people, so only the first limit is theirs.
    """
    mailbox = _mailbox(email)
    if Silenced.objects.filter(address=mailbox).exists():
        return False
    today = _today()
    if not invited:
        asked = AutoResponse.objects.filter(address=mailbox, kind="question", day=today)
        if sum(asked.values_list("count", flat=True)) >= QUESTIONS_A_DAY:
            return False
    kind = "invitation" if invited else "question"
    _, is_first = AutoResponse.objects.get_or_create(
        address=mailbox, list_id=mailing_list.list_id, kind=kind, day=today, defaults={"count": 1}
    )
    return is_first


def silence(email: str) -> None:
    """Never ask this address again, until `hear_again`."""
    Silenced.objects.get_or_create(address=_mailbox(email))


def hear_again(email: str) -> None:
    """Its reader, known for sure, wants to be asked again."""
    Silenced.objects.filter(address=_mailbox(email)).delete()


def _mailbox(email: str) -> str:
    """The mailbox behind an address: what stands behind a + (RFC 5233) leads to the same reader."""
    local, _, host = identity(email).rpartition("@")
    local = local.partition("+")[0] or local
    return f"{local.replace('.', '') if host in _DOTLESS else local}@{host}"


def count_answer(address: str, list_id: str, kind: str) -> int:
    """Count an automatic answer to an address today; which one it is, beginning with 1."""
    row, made = AutoResponse.objects.get_or_create(
        address=identity(address), list_id=list_id, kind=kind, day=_today(), defaults={"count": 1}
    )
    if made:
        return 1
    AutoResponse.objects.filter(pk=row.pk).update(count=F("count") + 1)
    return row.count + 1


def may_reply(address: str, list_id: str, kind: str, seconds: float) -> bool:
    """Count an automatic reply; whether the last of this kind to this address is `seconds` past."""
    rows = AutoResponse.objects.filter(address=identity(address), list_id=list_id, kind=kind)
    last = rows.order_by("-day").values_list("day", flat=True).first()
    if last is not None and seconds and last + timedelta(seconds=seconds) > _today():
        return False
    rows.delete()
    AutoResponse.objects.create(address=identity(address), list_id=list_id, kind=kind, day=_today(), count=1)
    return True


def forget_old() -> None:
    """Drop the counters of past days; the dates of automatic replies are needed for their grace period."""
    old = AutoResponse.objects.filter(day__lt=_today() - timedelta(days=1)).exclude(kind__startswith="reply")
    old.delete()


def is_last_answer(number: int) -> bool | None:
    """Whether this answer of the day is the last one; None when there were enough before."""
    most = current().mail.max_autoresponses_per_day
    if most and number > most:
        return None
    return bool(most) and number == most


def _today() -> date:
    return datetime.now(UTC).date()
