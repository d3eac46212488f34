"""Users, their addresses, and the preferences that a membership, an address and a user may each set."""

import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils import timezone

from postroad.foundation.message.addresses import identity


class Preferences(models.Model):
    """Seven choices about delivery; null asks the next level: member, address, user, site."""

    class DeliveryMode(models.TextChoices):
        """How posts come."""

        REGULAR = "regular"
        PLAINTEXT_DIGESTS = "plaintext_digests"
        MIME_DIGESTS = "mime_digests"
        SUMMARY_DIGESTS = "summary_digests"
        HTML_DIGESTS = "html_digests"

    class DeliveryStatus(models.TextChoices):
        """Whether posts come, and who said so."""

        ENABLED = "enabled"
        BY_USER = "by_user"
        BY_BOUNCES = "by_bounces"
        BY_MODERATOR = "by_moderator"
        UNKNOWN = "unknown"

    acknowledge_posts = models.BooleanField(null=True)
    hide_address = models.BooleanField(null=True)
    delivery_mode = models.CharField(max_length=20, null=True, choices=DeliveryMode.choices)
    delivery_status = models.CharField(max_length=20, null=True, choices=DeliveryStatus.choices)
    preferred_language = models.CharField(max_length=16, null=True)
    receive_list_copy = models.BooleanField(null=True)
    receive_own_postings = models.BooleanField(null=True)
    digest_left = models.CharField(max_length=20, null=True)
    """The kind of digest this level asked for before it asked for posts: who left one half way gets that last one."""
    digest_left_at = models.FloatField(null=True)
    """When that was, seconds since 1970."""

    class Meta:
        abstract = True


DIGEST_MODES = (
    Preferences.DeliveryMode.PLAINTEXT_DIGESTS,
    Preferences.DeliveryMode.MIME_DIGESTS,
    Preferences.DeliveryMode.SUMMARY_DIGESTS,
    Preferences.DeliveryMode.HTML_DIGESTS,
)
"""Posts come several at a time; a summary is a MIME digest, as Mailman's."""

PREFERENCE_NAMES = (
    "acknowledge_posts",
    "hide_address",
    "delivery_mode",
    "delivery_status",
    "preferred_language",
    "receive_list_copy",
    "receive_own_postings",
)


class Users(BaseUserManager["User"]):
    """Makes users; sign-in names are mail addresses."""

    def create_user(self, email: str = "", password: str | None = None, **fields: object) -> "User":
        """A user with this contact address (may be empty for one made by REST) and password (None: cannot sign in)."""
        user = self.model(email=identity(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """A server owner."""
        return self.create_user(email, password, is_superuser=True, is_staff=True, **fields)


class User(AbstractBaseUser, PermissionsMixin, Preferences):
    """A person; `is_superuser` is Mailman's `is_server_owner`."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    email = models.EmailField(max_length=255, blank=True, db_index=True)
    display_name = models.CharField(max_length=255, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_on = models.DateTimeField(default=timezone.now)
    preferred_address = models.ForeignKey("people.Address", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = Users()

    USERNAME_FIELD = "uuid"
    EMAIL_FIELD = "email"

    class Meta:
        db_table = "people_user"

    def __str__(self) -> str:
        return self.display_name or self.email or str(self.uuid)

    def get_full_name(self) -> str:
        """What pages call this person."""
        return self.display_name

    @property
    def is_server_owner(self) -> bool:
        """Whether this person may do everything on the site."""
        return self.is_superuser


class Address(Preferences):
    """A mail address; it may belong to nobody yet."""

    email = models.CharField(max_length=255, unique=True)
    """Its identity, by which it is found (ADR 12)."""
    original_email = models.CharField(max_length=255)
    """As it was given; mail goes there."""
    display_name = models.CharField(max_length=255, blank=True)
    registered_on = models.DateTimeField(default=timezone.now)
    verified_on = models.DateTimeField(null=True)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="addresses")

    class Meta:
        db_table = "people_address"
        verbose_name_plural = "addresses"

    def __str__(self) -> str:
        return self.original_email

    @property
    def shown(self) -> str:
        """As people and programs see it: as it was given, in lower case."""
        return self.original_email.lower()
