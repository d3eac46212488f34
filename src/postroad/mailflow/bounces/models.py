"""What came back for whom, receivers that refuse everybody, and probes on their way."""

from django.db import models
from django.utils import timezone

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions.models import Member


class BounceEvent(models.Model):
    """One recipient's failed mail. The judging task reads it once and writes down what came of it."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="bounce_events")
    email = models.CharField(max_length=255)
    domain = models.CharField(max_length=255)
    """The receiver: what stands behind the address's @."""
    at = models.DateTimeField(default=timezone.now)
    context = models.CharField(max_length=8, default="normal")
    """`normal`, or `probe` for the answer to a probe."""
    cause = models.CharField(max_length=12)
    """`address`, `full` or `policy`; see `causes.py`."""
    status = models.CharField(max_length=16, default="")
    diagnostic = models.CharField(max_length=500, default="")
    message = models.CharField(max_length=64)
    """Key of the stored report."""
    message_id = models.CharField(max_length=998, default="")
    processed = models.BooleanField(default=False)
    outcome = models.CharField(max_length=64, default="")

    class Meta:
        db_table = "bounces_event"
        indexes = [
            models.Index(fields=["processed", "id"], name="bounces_event_waiting"),
            models.Index(fields=["mailing_list", "email"], name="bounces_event_member"),
        ]


class Receiver(models.Model):
    """A domain that refused many of its people at once: its event, not theirs."""

    domain = models.CharField(max_length=255, unique=True)
    since = models.DateTimeField()
    last = models.DateTimeField()
    reason = models.CharField(max_length=500, default="")

    class Meta:
        db_table = "bounces_receiver"


class Probe(models.Model):
    """A mail that tries a member's address; only its token is known outside, and only its hash is kept."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="probes")
    email = models.CharField(max_length=255)
    """Where it was sent; the member may have another address by the time it comes back."""
    token_hash = models.CharField(max_length=64, unique=True)
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "bounces_probe"
