"""Domains and mailing lists. A list's settings are one JSON document of what differs from its style."""

from typing import Any

from django.db import models
from django.utils import timezone

from postroad.community.people.models import User


class Domain(models.Model):
    """A mail host whose lists live here."""

    mail_host = models.CharField(max_length=255, unique=True)
    description = models.TextField(null=True)
    alias_domain = models.CharField(max_length=255, null=True)
    base_url = models.CharField(max_length=2000, null=True)
    owners: "models.ManyToManyField[User, models.Model]" = models.ManyToManyField(
        User, related_name="owned_domains", db_table="lists_domain_owner"
    )

    class Meta:
        db_table = "lists_domain"

    def __str__(self) -> str:
        return self.mail_host


class MailingList(models.Model):
    """A mailing list; settings are read with `Setting.of(mailing_list)`, see `register.py`."""

    list_id = models.CharField(max_length=255, unique=True)
    list_name = models.CharField(max_length=255)
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="lists")
    mail_host = models.CharField(max_length=255)
    style_name = models.CharField(max_length=64, default="legacy-default")
    settings = models.JSONField(default=dict)
    # Queried, so they stand as columns too; `lists.actions.change_settings` keeps them equal.
    advertised = models.BooleanField(default=True)
    archive_policy = models.CharField(max_length=16, default="public")

    created_at = models.DateTimeField(default=timezone.now)
    last_post_at = models.DateTimeField(null=True)
    post_id = models.BigIntegerField(default=1)
    volume = models.IntegerField(default=1)
    next_digest_number = models.IntegerField(default=1)
    digest_last_sent_at = models.DateTimeField(null=True)
    usenet_watermark = models.BigIntegerField(null=True)
    next_request_id = models.BigIntegerField(default=1)

    member_count: int
    """Where it is shown, `lists.queries.count_members` gives it; no column."""

    class Meta:
        db_table = "lists_list"
        constraints = [models.UniqueConstraint(fields=["list_name", "mail_host"], name="lists_list_address")]

    def __str__(self) -> str:
        return self.fqdn_listname

    def address(self, part: str = "") -> str:
        """The list's posting address, or that of one of its parts such as `bounces`, `request`, `owner`."""
        return f"{self.list_name}{'-' if part else ''}{part}@{self.mail_host}"

    @property
    def fqdn_listname(self) -> str:
        """The posting address; Mailman's name for it."""
        return f"{self.list_name}@{self.mail_host}"

    def stored(self, name: str) -> Any:
        """The stored value of a setting, or `KeyError` where the style's stands."""
        return self.settings[name]


class ListArchiver(models.Model):
    """Whether one archiver is on for one list; REST's `/lists/{l}/archivers`."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="archivers")
    name = models.CharField(max_length=64)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        db_table = "lists_archiver"
        constraints = [models.UniqueConstraint(fields=["mailing_list", "name"], name="lists_archiver_once")]


class HeaderMatch(models.Model):
    """One of a list's header checks, in order; a null action asks the site's default."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="header_matches")
    position = models.IntegerField()
    header = models.CharField(max_length=255)
    pattern = models.TextField()
    action = models.CharField(max_length=16, null=True)
    tag = models.CharField(max_length=255, null=True)

    class Meta:
        db_table = "lists_header_match"
        ordering = ["position"]
