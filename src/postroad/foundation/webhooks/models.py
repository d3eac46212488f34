"""Who is told what, and each telling; moments are seconds since 1970."""

from django.db import models


class Webhook(models.Model):
    """An address that is told of events, of one list ("" for the whole site)."""

    list_id = models.CharField(max_length=255, default="")
    url = models.CharField(max_length=2000)
    events = models.JSONField(default=list)
    secret = models.CharField(max_length=100)
    """What requests are signed with; unlike a password it must be known here."""
    created_at = models.FloatField()
    failing_since = models.FloatField(null=True)
    """When the first of the failures in a row happened."""
    disabled_at = models.FloatField(null=True)

    class Meta:
        db_table = "webhooks_webhook"
        indexes = [models.Index(fields=["list_id"], name="webhooks_webhook_list")]


class Delivery(models.Model):
    """One event for one address, until it is delivered or given up."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    name = models.CharField(max_length=40, unique=True)
    """The `webhook-id`: the same for every attempt, so that a receiver can tell a repetition."""
    event = models.CharField(max_length=40)
    body = models.TextField()
    created_at = models.FloatField()
    attempts = models.IntegerField(default=0)
    outcome = models.CharField(max_length=200, default="")
    """The last answer, such as `204` or `refused: a private address`."""
    finished_at = models.FloatField(null=True)
    was_delivered = models.BooleanField(default=False)

    class Meta:
        db_table = "webhooks_delivery"
        indexes = [models.Index(fields=["created_at"], name="webhooks_delivery_at")]
