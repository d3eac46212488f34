"""The archive's tables: threads, mails in them, what is still missing, and counts by month. Search has its own."""

from django.db import models

from postroad.community.lists.models import MailingList


class Thread(models.Model):
    """A conversation. Its key is its first mail's hash and stays, so that addresses do."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="threads")
    key = models.CharField(max_length=32)
    subject = models.TextField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.IntegerField(default=1)
    starter = models.CharField(max_length=255, blank=True)

    class Meta:
        db_table = "archive_thread"
        constraints = [models.UniqueConstraint(fields=["mailing_list", "key"], name="archive_thread_key")]
        indexes = [models.Index(fields=["mailing_list", "-last_at"], name="archive_thread_latest")]


class Mail(models.Model):
    """A post as the archive shows it; its bytes lie in storage."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="archived")
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="mails")
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="replies")
    message = models.CharField(max_length=64)
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

    class Meta:
        db_table = "archive_mail"
        constraints = [models.UniqueConstraint(fields=["mailing_list", "message_id_hash"], name="archive_mail_hash")]
        indexes = [
            models.Index(fields=["mailing_list", "date"], name="archive_mail_date"),
            models.Index(fields=["thread", "date"], name="archive_mail_thread"),
            models.Index(fields=["mailing_list", "message_id"], name="archive_mail_id"),
        ]


class Awaited(models.Model):
    """A mail that is referred to but has not come yet; when it does, `mail` becomes its reply."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="+")
    message_id = models.CharField(max_length=998)
    mail = models.ForeignKey(Mail, on_delete=models.CASCADE, related_name="awaits")
    nearness = models.IntegerField()
    """Place in the References of `mail`: the higher, the nearer the relation."""

    class Meta:
        db_table = "archive_awaited"
        indexes = [models.Index(fields=["mailing_list", "message_id"], name="archive_awaited_id")]


class Month(models.Model):
    """How many mails a month has."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="months")
    year = models.IntegerField()
    month = models.IntegerField()
    count = models.IntegerField(default=0)

    class Meta:
        db_table = "archive_month"
        constraints = [models.UniqueConstraint(fields=["mailing_list", "year", "month"], name="archive_month_once")]
