"""Who may neither post nor join: an address or a `^` pattern, for one list or the whole site."""

from django.db import models

from postroad.community.lists.models import MailingList


class Ban(models.Model):
    """One ban; without a list it holds on the whole site."""

    email = models.CharField(max_length=255)
    mailing_list = models.ForeignKey(MailingList, null=True, on_delete=models.CASCADE, related_name="bans")

    class Meta:
        db_table = "bans_ban"
        constraints = [
            models.UniqueConstraint(fields=["email", "mailing_list"], name="bans_ban_once"),
            models.UniqueConstraint(
                fields=["email"], condition=models.Q(mailing_list__isnull=True), name="bans_ban_site_once"
            ),
        ]
