"""Posts that wait for a moderator, and how many good ones a new member wrote."""

from django.db import models

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions.models import Member


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
    token_hash = models.CharField(max_length=64, null=True, unique=True)
    """Of the secret that answers the notice to the moderators; it lives as long as the post waits."""

    class Meta:
        db_table = "moderation_held"
        constraints = [models.UniqueConstraint(fields=["mailing_list", "request_id"], name="moderation_held_request")]
        indexes = [models.Index(fields=["mailing_list", "held_at"], name="moderation_held_age")]
        ordering = ["request_id"]


class GoodPosts(models.Model):
    """How many posts of a member were accepted, counted while the list moderates first posts."""

    member = models.OneToOneField(Member, on_delete=models.CASCADE, related_name="good_posts", primary_key=True)
    count = models.IntegerField(default=0)

    class Meta:
        db_table = "moderation_good_posts"
