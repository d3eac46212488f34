"""What this stage keeps: Digest members' posts wait here to be collected."""

from django.db import models


class Kept(models.Model):
    """A mail that came to this stage, with what is needed to work on it."""

    list_id = models.CharField(max_length=255, db_index=True)
    message = models.CharField(max_length=64)
    message_id = models.CharField(max_length=998)
    envelope = models.BinaryField()
    kind = models.CharField(max_length=16)
    recipient = models.CharField(max_length=400)
    received_at = models.FloatField()

    class Meta:
        db_table = "digests_kept"
