"""Posts that wait for a moderator."""

from django.db import models

from postroad.community.lists.models import MailingList


class HeldMessage(models.Model):
    """One held post, with everything that was known when it was held."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="held_messages")
    request_id = models.BigIntegerField()
    message = models.CharField(max_length=64)
    message_id = models.CharField(max_length=998)
    envelope = models.BinaryField()
    sender = models.CharField(max_length=320)
    subject = models.TextField()
    reason = models.TextField()
    held_at = models.DateTimeField()

    class Meta:
        db_table = "moderation_held"
        constraints = [models.UniqueConstraint(fields=["mailing_list", "request_id"], name="moderation_held_request")]
        ordering = ["request_id"]
