"""One row for each distinct content, kept once however often it is referred to."""

from django.db import models


class Blob(models.Model):
    """Bytes under their SHA-256; `codec` tells how they are packed, and with `f:` or `s:` that they lie elsewhere."""

    key = models.CharField(max_length=64, primary_key=True)
    size = models.BigIntegerField()
    codec = models.CharField(max_length=8)
    data = models.BinaryField()
    created_at = models.FloatField()

    class Meta:
        db_table = "storage_blob"
