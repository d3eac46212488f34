"""What this stage keeps: Posts for the news gateway wait here."""

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
        db_table = "usenet_kept"
