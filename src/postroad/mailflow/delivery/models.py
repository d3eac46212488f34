"""Prepared mails on their way out, and what the relay said for each recipient."""

from django.db import models


class Dispatch(models.Model):
    """One prepared mail: its template (bytes and personal slots, in storage) and how its copies are addressed."""

    journey = models.CharField(max_length=32, db_index=True)
    list_id = models.CharField(max_length=255)
    message_id = models.CharField(max_length=998)
    template = models.CharField(max_length=64)
    """Key of the encoded `message.segments.Template` in storage."""
    envelope = models.BinaryField()
    """The pipeline's envelope: return path, VERP, author, explicit and fixed recipients."""
    cursor = models.BigIntegerField(default=0)
    """Key of the last member cut into a chunk; cutting goes on behind it."""
    all_cut = models.BooleanField(default=False)
    recipients_total = models.BigIntegerField(default=0)
    created_at = models.FloatField()
    deliver_until = models.FloatField()
    refusal = models.CharField(max_length=500, default="")
    """How the relay refused the mail itself, whoever it was for."""

    class Meta:
        db_table = "delivery_dispatch"
        indexes = [
            models.Index(fields=["message_id"], name="delivery_dispatch_message"),
            models.Index(fields=["created_at"], name="delivery_dispatch_created"),
        ]


class Chunk(models.Model):
    """Some hundred recipients of a dispatch and, once tried, the relay's reply to each."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="chunks")
    recipients = models.BinaryField()
    results = models.BinaryField(default=b"")
    done = models.BooleanField(default=False)
    attempts = models.IntegerField(default=0)

    class Meta:
        db_table = "delivery_chunk"


class OutboxMail(models.Model):
    """A copy kept for reading instead of being sent; only a site without a relay has any."""

    sender = models.CharField(max_length=400)
    recipients = models.TextField()
    content = models.BinaryField()
    sent_at = models.FloatField()

    class Meta:
        db_table = "delivery_outbox"
