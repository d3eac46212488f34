"""The audit log: who called what, and what came of it."""

from django.db import models


class Call(models.Model):
    """One call of REST, or several equal ones that only read, within the second that `at` (since 1970) begins."""

    at = models.FloatField()
    caller = models.CharField(max_length=255)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=500)
    list_id = models.CharField(max_length=255, default="")
    status = models.SmallIntegerField()
    times = models.IntegerField(default=1)

    class Meta:
        db_table = "rest_call"
        indexes = [
            models.Index(fields=["at"], name="rest_call_at"),
            models.Index(fields=["list_id", "at"], name="rest_call_list"),
        ]
