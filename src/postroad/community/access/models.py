"""Tokens of people for REST; the token itself is never kept, only its hash."""

from django.db import models
from django.utils import timezone

from postroad.community.people.models import User


class Token(models.Model):
    """What a program may do in the name of a person, on which lists, and until when."""

    class Scope(models.TextChoices):
        """Each includes the ones before it."""

        READ = "read"
        MODERATE = "moderate"
        MANAGE = "manage"
        SITE = "site"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=8, choices=Scope.choices)
    lists = models.JSONField(default=list)
    """List-ids; none means every list of the person."""
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "access_token"

    def __str__(self) -> str:
        return f"{self.user} ({self.name})"
