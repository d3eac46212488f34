"""Memberships in all roles, what waits for somebody's word, and the record of who wanted what."""

import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from postroad.community.lists.models import MailingList
from postroad.community.people.models import Address, Preferences, User
from postroad.foundation.message.addresses import readable


class EffectiveEmail(models.CharField):  # type: ignore[type-arg]
    """A membership's address, kept beside it so that an index has rosters in their order.

    It follows the membership when that is written; `people.actions` lets it follow the address and the preferred one.
    """

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """To migrations it is a column like others."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> str | None:
        """The address as it stands when the row is written; who writes many rows may have looked it up already."""
        assert isinstance(model_instance, Member)
        known = Member.address.is_cached(model_instance) or Member.user.is_cached(model_instance)
        if known or model_instance.email is None:
            address = model_instance.effective_address
            model_instance.email = address.email if address else None
        return model_instance.email  # type: ignore[no-any-return]


class Member(Preferences):
    """One address, or one user by the preferred address, in one role on one list."""

    class Role(models.TextChoices):
        """What the address is to the list."""

        MEMBER = "member"
        OWNER = "owner"
        MODERATOR = "moderator"
        NONMEMBER = "nonmember"

    class DigestFrequency(models.TextChoices):
        """How often a member's own digests can come."""

        DAILY = "daily"
        WEEKLY = "weekly"
        MONTHLY = "monthly"

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="members")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MEMBER)
    address = models.ForeignKey(Address, null=True, on_delete=models.CASCADE, related_name="memberships")
    """The subscribed address; null when the user is subscribed and mail goes to the preferred one."""
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="memberships")
    """The subscribed user; null for a subscription by address."""
    email = EffectiveEmail(max_length=255, null=True, editable=False)
    moderation_action = models.CharField(max_length=16, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    bounce_score = models.IntegerField(default=0)
    last_bounce_received = models.DateTimeField(null=True)
    last_warning_sent = models.DateTimeField(null=True)
    total_warnings_sent = models.IntegerField(default=0)
    vacation_until = models.DateField(null=True)
    """The day delivery, switched off by the member, begins again by itself."""
    digest_frequency = models.CharField(max_length=8, null=True, choices=DigestFrequency.choices)
    """How often the member's own digests come; null: when the list sends its own."""
    frequency_left = models.CharField(max_length=8, null=True)
    """The frequency before this one (empty: the list's): who changes it half way gets that last digest too."""
    frequency_left_at = models.FloatField(null=True)
    """When that was, seconds since 1970."""

    class Meta:
        db_table = "subscriptions_member"
        indexes = [
            models.Index(fields=["mailing_list", "role", "id"], name="subscriptions_member_page"),
            models.Index(fields=["mailing_list", "role", "email", "id"], name="subscriptions_member_roster"),
            models.Index(fields=["email"], name="subscriptions_member_email"),
            models.Index(
                fields=["mailing_list"], condition=models.Q(digest_frequency__isnull=False),
                name="subscriptions_member_rhythm",
            ),
        ]  # fmt: skip
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

    def forget_bounces(self) -> None:
        """Count from nothing again, and deliver again to who was switched off for them; the caller saves."""
        self.bounce_score, self.total_warnings_sent, self.last_warning_sent = 0, 0, None
        if self.delivery_status == "by_bounces":
            self.delivery_status = None


class ThreadChoice(models.Model):
    """A member who wants no more posts of one thread, or wants that thread in spite of getting no others."""

    class Wish(models.TextChoices):
        """What the member wants of the thread."""

        MUTE = "mute"
        FOLLOW = "follow"

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="thread_choices")
    thread = models.CharField(max_length=32)
    """The thread by the hash of its first mail's Message-ID, as `Message-ID-Hash` has it."""
    wish = models.CharField(max_length=8, choices=Wish.choices)

    class Meta:
        db_table = "subscriptions_thread_choice"
        constraints = [models.UniqueConstraint(fields=["member", "thread"], name="subscriptions_thread_choice_once")]
        indexes = [models.Index(fields=["thread", "member"], name="subscriptions_thread_member")]


class Pending(models.Model):
    """Something that waits for whoever holds its secret: a subscriber's yes, or a moderator's word."""

    class Kind(models.TextChoices):
        """What the word is about; a secret serves no other purpose."""

        SUBSCRIPTION = "subscription"
        UNSUBSCRIPTION = "unsubscription"
        OPTIONS = "options"
        UNDO = "undo"

    token_hash = models.CharField(max_length=64, unique=True)
    token = models.CharField(max_length=40, unique=True)
    """The moderators' handle of a request (REST needs it in clear); the secret that is mailed is never stored."""
    kind = models.CharField(max_length=24, choices=Kind.choices)
    list_id = models.CharField(max_length=255, db_index=True)
    email = models.CharField(max_length=255, db_index=True)
    display_name = models.CharField(max_length=255, blank=True)
    token_owner = models.CharField(max_length=16)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "subscriptions_pending"

    @property
    def shown(self) -> str:
        """The address as people read it."""
        return readable(self.email)


class Consent(models.Model):
    """One step by which a membership came about, changed or ended: the proof of consent (GDPR Art. 7(1))."""

    list_id = models.CharField(max_length=255, db_index=True)
    email = models.CharField(max_length=255, db_index=True)
    event = models.CharField(max_length=16)
    surface = models.CharField(max_length=16)
    evidence = models.CharField(max_length=255, blank=True)
    """What shows who it was: a Message-ID, a network address, a person."""
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "subscriptions_consent"


class Attempt(models.Model):
    """How many requests one network made in one hour."""

    network = models.CharField(max_length=64)
    hour = models.BigIntegerField()
    count = models.IntegerField(default=0)

    class Meta:
        db_table = "subscriptions_attempt"
        constraints = [models.UniqueConstraint(fields=["network", "hour"], name="subscriptions_attempt_once")]
