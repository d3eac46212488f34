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


class SigningKey(models.Model):
    """A private key that mail of a domain is signed with; its public half stands in DNS under the selector.

    It is kept encrypted under the site's secret, which lies in the home: a copy of the database alone signs nothing.
    """

    mail_host = models.CharField(max_length=255)
    selector = models.CharField(max_length=63)
    algorithm = models.CharField(max_length=16)
    private = models.BinaryField()
    created_at = models.FloatField()
    used_since = models.FloatField(null=True)
    """Since when mail is signed with it; before, its record waits to be published."""
    retired_at = models.FloatField(null=True)
    """Since when it is not used any more; its record stays for mail that is still on its way."""

    class Meta:
        db_table = "delivery_signing_key"
        constraints = [models.UniqueConstraint(fields=["mail_host", "selector"], name="delivery_signing_key_name")]

    @property
    def state(self) -> str:
        """Where it stands in its life, for people."""
        if self.used_since is None:
            return "waits to be published"
        return "in use" if self.retired_at is None else "retired"

    @property
    def record_name(self) -> str:
        """Where its record stands in DNS (RFC 6376 §3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.mail_host}"
