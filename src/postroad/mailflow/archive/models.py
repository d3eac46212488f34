"""The archive's tables: threads, mails in them, what is still missing, counts by month, and what readers added.

Search has its own table, which no model knows; see `search/index.py`.
"""

from django.db import models
from django.utils import timezone
from django.utils.dates import MONTHS

from postroad.community.lists.models import MailingList
from postroad.community.people.models import User


class Thread(models.Model):
    """A conversation. Its key is the Message-ID hash of one of its mails, and stays, so that addresses do."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="threads", db_index=False)
    key = models.CharField(max_length=32)
    subject = models.TextField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.IntegerField(default=1)
    starter = models.CharField(max_length=255, blank=True)
    last_by = models.CharField(max_length=255, blank=True)
    """Name of the newest mail's author."""
    category = models.CharField(max_length=64, blank=True)
    """What the list's moderators call this kind of conversation."""
    changed_at = models.DateTimeField(default=timezone.now)
    """When anything last changed that a page shows of it; see `freshness.py`."""

    class Meta:
        db_table = "archive_thread"
        constraints = [models.UniqueConstraint(fields=["mailing_list", "key"], name="archive_thread_key")]
        indexes = [models.Index(fields=["mailing_list", "-last_at"], name="archive_thread_latest")]


class Mail(models.Model):
    """A post as the archive shows it; its bytes lie in storage."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="archived", db_index=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="mails", db_index=False)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="replies")
    message = models.CharField(max_length=64)
    """Key of its bytes in storage."""
    message_id = models.CharField(max_length=998)
    message_id_hash = models.CharField(max_length=32)
    subject = models.TextField()
    sender_name = models.CharField(max_length=255, blank=True)
    sender_email = models.CharField(max_length=320, blank=True)
    date = models.DateTimeField()
    archived_at = models.DateTimeField()
    size = models.IntegerField()
    preview = models.CharField(max_length=240, blank=True)
    attachments = models.IntegerField(default=0)
    likes = models.IntegerField(default=0)
    dislikes = models.IntegerField(default=0)

    class Meta:
        db_table = "archive_mail"
        constraints = [models.UniqueConstraint(fields=["mailing_list", "message_id_hash"], name="archive_mail_hash")]
        indexes = [
            models.Index(fields=["mailing_list", "date", "thread"], name="archive_mail_months"),
            models.Index(fields=["thread", "date", "id"], name="archive_mail_in_thread"),
        ]


class AwaitedMail(models.Model):
    """A mail that is referred to but has not come yet; when it does, `mail` becomes its reply."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="+", db_index=False)
    message_id_hash = models.CharField(max_length=32)
    mail = models.ForeignKey(Mail, on_delete=models.CASCADE, related_name="awaits")
    nearness = models.IntegerField()
    """Place in the References of `mail`: the higher, the nearer the relation."""

    class Meta:
        db_table = "archive_awaited_mail"
        indexes = [models.Index(fields=["mailing_list", "message_id_hash"], name="archive_awaited_hash")]


class Month(models.Model):
    """How many mails a month has."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="months", db_index=False)
    year = models.IntegerField()
    month = models.IntegerField()
    count = models.IntegerField(default=0)

    class Meta:
        db_table = "archive_month"
        constraints = [models.UniqueConstraint(fields=["mailing_list", "year", "month"], name="archive_month_once")]

    @property
    def name(self) -> str:
        """The month's name in the reader's language."""
        return str(MONTHS[self.month])


class Revision(models.Model):
    """How often a list's archive has changed; see `freshness.py`."""

    mailing_list = models.OneToOneField(MailingList, on_delete=models.CASCADE, primary_key=True, related_name="+")
    number = models.BigIntegerField(default=0)

    class Meta:
        db_table = "archive_revision"


class OldAddress(models.Model):
    """Where a mail stood in an archive that was imported, such as pipermail's `2019-March/000042.html`."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="+", db_index=False)
    path = models.CharField(max_length=255)
    mail = models.ForeignKey(Mail, on_delete=models.CASCADE, related_name="old_addresses")

    class Meta:
        db_table = "archive_old_address"
        constraints = [models.UniqueConstraint(fields=["mailing_list", "path"], name="archive_old_address_once")]


class Vote(models.Model):
    """What a reader thinks of a mail: 1 or -1. The sums stand at the mail."""

    mail = models.ForeignKey(Mail, on_delete=models.CASCADE, related_name="votes", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    value = models.SmallIntegerField()

    class Meta:
        db_table = "archive_vote"
        constraints = [models.UniqueConstraint(fields=["mail", "user"], name="archive_vote_once")]


class Tag(models.Model):
    """A word a reader gave a conversation."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="tags", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=255)

    class Meta:
        db_table = "archive_tag"
        constraints = [models.UniqueConstraint(fields=["thread", "name", "user"], name="archive_tag_once")]


class Favorite(models.Model):
    """A conversation a reader marked to find it again."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="favorites", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        db_table = "archive_favorite"
        constraints = [models.UniqueConstraint(fields=["thread", "user"], name="archive_favorite_once")]


class LastView(models.Model):
    """When a reader last looked at a conversation."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="views", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    viewed_at = models.DateTimeField()

    class Meta:
        db_table = "archive_last_view"
        constraints = [models.UniqueConstraint(fields=["thread", "user"], name="archive_last_view_once")]


class IndexState(models.Model):
    """The one row that says of which tokens the index of words is made, and of which one is being made beside it."""

    version = models.IntegerField()
    building = models.IntegerField(null=True)

    class Meta:
        db_table = "archive_index_state"
