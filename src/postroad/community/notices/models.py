"""Where the texts of notices come from when a site, domain or list has its own."""

from django.db import models
from django.utils import timezone


class TemplateUri(models.Model):
    """A template of one scope ("" for the site, a mail host or a list-id): a text, or the URI of one, or both."""

    context = models.CharField(max_length=255)
    name = models.CharField(max_length=64)
    uri = models.TextField()
    username = models.CharField(max_length=255, null=True)
    password = models.CharField(max_length=255, null=True)
    text = models.TextField(null=True)

    class Meta:
        db_table = "notices_template_uri"
        constraints = [models.UniqueConstraint(fields=["context", "name"], name="notices_template_uri_once")]


class FetchedText(models.Model):
    """What was last found at a template's URI, and when it is looked at again (seconds since 1970)."""

    uri = models.CharField(max_length=2000, unique=True)
    source = models.ForeignKey(TemplateUri, null=True, on_delete=models.CASCADE)
    """Who asked for it, with the credential that is sent."""
    text = models.TextField(null=True)
    tried = models.BooleanField(default=False)
    """Whether the address was asked since it was set."""
    next_at = models.FloatField()

    class Meta:
        db_table = "notices_fetched_text"


class AutoResponse(models.Model):
    """When an address last got an automatic answer of one kind from a list, and how many that day."""

    address = models.CharField(max_length=255)
    list_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=16)
    day = models.DateField()
    count = models.IntegerField(default=0)

    class Meta:
        db_table = "notices_auto_response"
        constraints = [
            models.UniqueConstraint(fields=["address", "list_id", "kind", "day"], name="notices_auto_response_once")
        ]


class OwnText(models.Model):
    """A template's text written here for one scope, in one language ("" for all of them)."""

    context = models.CharField(max_length=255)
    """Empty for the site, else a mail host or a list-id."""
    name = models.CharField(max_length=64)
    language = models.CharField(max_length=16, blank=True)
    text = models.TextField()

    class Meta:
        db_table = "notices_own_text"
        constraints = [models.UniqueConstraint(fields=["context", "name", "language"], name="notices_own_text_once")]


class Silenced(models.Model):
    """An address whose reader wants no more questions from this site, for others misused it."""

    address = models.CharField(max_length=255, unique=True)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "notices_silenced"
