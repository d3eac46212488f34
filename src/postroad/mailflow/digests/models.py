"""Posts that wait to be sent as one, how far each edition of a list's digest has come, and issues being built."""

from django.db import models

from postroad.community.lists.models import MailingList


class Post(models.Model):
    """A post that some edition has still to send."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="+")
    journey = models.CharField(max_length=32)
    message = models.CharField(max_length=64)
    message_id = models.CharField(max_length=998)
    size = models.BigIntegerField()
    """Octets."""
    received_at = models.FloatField()
    """Seconds since 1970."""

    class Meta:
        db_table = "digests_post"
        indexes = [models.Index(fields=["mailing_list", "id"], name="digests_post_list")]


class Edition(models.Model):
    """A list's digest of one frequency: what it holds so far. Whoever adds to it or sends it holds its row."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="+")
    frequency = models.CharField(max_length=8, blank=True)
    """Empty for the list's own digest; else what members chose: daily, weekly or monthly."""
    last_post = models.BigIntegerField(default=0)
    """Key of the last post that was sent in it."""
    posts = models.IntegerField(default=0)
    size = models.BigIntegerField(default=0)
    """Octets of the posts that wait."""
    sent_at = models.DateTimeField(null=True)
    """When its last issue was made, or it was begun; the list's own digest keeps that, and its numbers, in the list."""
    volume = models.IntegerField(default=1)
    next_number = models.IntegerField(default=1)

    class Meta:
        db_table = "digests_edition"
        constraints = [models.UniqueConstraint(fields=["mailing_list", "frequency"], name="digests_edition_once")]


class Issue(models.Model):
    """A range of posts with a number, until the mails are built that hold them."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="+")
    frequency = models.CharField(max_length=8, blank=True)
    volume = models.IntegerField()
    number = models.IntegerField()
    first_post = models.BigIntegerField()
    last_post = models.BigIntegerField()

    class Meta:
        db_table = "digests_issue"
