"""Consumes the queue of mail to the bounce address: proves whom it is about, and notes it for the next round."""

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.tokens import TOKEN_BYTES, bounced_email, is_bulk_return_path
from postroad.foundation.configuration import current
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.bounces import actions, complaints, settings
from postroad.mailflow.bounces.reports import Failure, Report, read


def work(envelope: Envelope) -> None:
    """Take one mail that came back; what became of it stands in its journey."""
    mailing_list = MailingList.objects.select_related("domain").filter(list_id=envelope.list_id).first()
    outcome, reason = _taken(mailing_list, envelope)
    queue.record(envelope, "bounces", outcome, reason)


def _taken(mailing_list: MailingList | None, envelope: Envelope) -> tuple[str, str]:
    if mailing_list is None:
        return "discarded", "it is about mail of the site itself, or the list was removed"
    raw = storage.load(envelope.message)
    report = read(raw)
    if report.kind == "complaint":
        return _complaint(mailing_list, report)
    if not settings.process_bounces.of(mailing_list):
        return "discarded", "the list does not process bounces"
    extra = envelope.recipient.partition("@")[0].partition("+")[2]
    if report.kind == "automatic":
        return "discarded", "an automatic answer, not a bounce"
    if report.kind == "unknown" or not any(failure.cause != "temporary" for failure in report.failures):
        if report.failures:
            return "ignored", "only a temporary failure"
        return "unrecognised", actions.forward_unknown(mailing_list, raw)
    if len(extra) == 2 * TOKEN_BYTES and "=" not in extra:
        return _probe(mailing_list, envelope, report, extra)
    failures = _proved(mailing_list, report, extra)
    if not failures:
        return "ignored", "its return path has no key of ours; a forged report counts nothing"
    count = actions.note(mailing_list, envelope, failures)
    return "noted", f"for {', '.join(failure.email for failure in failures[:3])}, {count} in all"


def _probe(mailing_list: MailingList, envelope: Envelope, report: Report, token: str) -> tuple[str, str]:
    email = actions.probed_email(mailing_list, token.lower())
    if email is None:
        return "ignored", "an unknown or outdated probe"
    first = report.failures[0]
    actions.note(mailing_list, envelope, [Failure(email, "address", first.status, first.diagnostic)], context="probe")
    return "noted", f"the probe to {email} came back"


def _proved(mailing_list: MailingList, report: Report, extra: str) -> list[Failure]:
    """The failures that our key in the return path vouches for.

    A personal key names the one recipient, whatever the report says. The key of a bulk copy only shows that the
    reporter had a mail of this list; whom it is about is believed then, since a probe comes before a switch-off.
    """
    permanent = [failure for failure in report.failures if failure.cause != "temporary"]
    email = bounced_email(mailing_list.pk, extra, keyed=not current().mail.count_unkeyed_bounces)
    if email:
        own = next((failure for failure in permanent if failure.email == email), permanent[0])
        return [Failure(email, own.cause, own.status, own.diagnostic)]
    if is_bulk_return_path(mailing_list.pk, extra):
        return [failure for failure in permanent if failure.email]
    return []


def _complaint(mailing_list: MailingList, report: Report) -> tuple[str, str]:
    pk = complaints.complaining_member(mailing_list, report)
    if pk is None:
        return "ignored", "a complaint that names no member by a key of ours"
    member = Member.objects.select_related("address", "user", "mailing_list").get(pk=pk)
    actions.complain(member)
    return "complaint", "the membership was ended"
