"""Memberships in all roles, and the tokens of joins and leaves that wait for somebody."""

import uuid

from django.db import models
from django.utils import timezone

from postroad.community.lists.models import MailingList
from postroad.community.people.models import Address, Preferences, User


class Member(Preferences):
    """One address, or one user by the preferred address, in one role on one list."""

    class Role(models.TextChoices):
        """What the address is to the list."""

        MEMBER = "member"
        OWNER = "owner"
        MODERATOR = "moderator"
        NONMEMBER = "nonmember"

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="members")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MEMBER)
    address = models.ForeignKey(Address, null=True, on_delete=models.CASCADE, related_name="memberships")
    """The subscribed address; null when the user is subscribed and mail goes to the preferred one."""
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="memberships")
    """The subscribed user; null for a subscription by address."""
    moderation_action = models.CharField(max_length=16, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    bounce_score = models.IntegerField(default=0)
    last_bounce_received = models.DateTimeField(null=True)
    last_warning_sent = models.DateTimeField(null=True)
    total_warnings_sent = models.IntegerField(default=0)

    class Meta:
        db_table = "subscriptions_member"
        constraints = [
            models.UniqueConstraint(fields=["mailing_list", "role", "address"], name="subscriptions_member_address"),
            models.UniqueConstraint(fields=["mailing_list", "role", "user"], name="subscriptions_member_user"),
            models.CheckConstraint(
                condition=models.Q(address__isnull=False, user__isnull=True)
                | models.Q(address__isnull=True, user__isnull=False),
                name="subscriptions_member_one_subject",
            ),
        ]

    @property
    def effective_address(self) -> Address | None:
        """Where mail goes: the subscribed address, or the subscribed user's preferred one."""
        if self.address is not None:
            return self.address
        return self.user.preferred_address if self.user else None

    @property
    def subscription_mode(self) -> str:
        """`as_address` or `as_user`."""
        return "as_user" if self.user_id else "as_address"


class Pending(models.Model):
    """Something that waits for a token: a join, a leave, the answer to a held mail, a probe."""

    token_hash = models.CharField(max_length=64, unique=True)
    token = models.CharField(max_length=40, unique=True)
    """The moderators' handle of a request (REST needs it in clear); a subscriber's secret is never stored here."""
    kind = models.CharField(max_length=24)
    list_id = models.CharField(max_length=255, db_index=True)
    email = models.CharField(max_length=255, db_index=True)
    display_name = models.CharField(max_length=255, blank=True)
    token_owner = models.CharField(max_length=16)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "subscriptions_pending"
