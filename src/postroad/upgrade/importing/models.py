"""What was brought in from where: written in the transaction that writes the thing itself."""

from django.db import models
from django.utils import timezone


class ImportSource(models.Model):
    """An old installation or archive, by a name that is the same in every run."""

    name = models.CharField(max_length=500, unique=True)
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    """When a run last came to its end."""

    class Meta:
        db_table = "importing_source"


class ImportedObject(models.Model):
    """One object of a source: what it was (`fingerprint`) and the key of the row it became here, if it became one."""

    source = models.ForeignKey(ImportSource, on_delete=models.CASCADE, related_name="objects_there", db_index=False)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=500)
    fingerprint = models.BigIntegerField()
    target = models.BigIntegerField(null=True)
    digest = models.BinaryField(null=True)
    """Of the values its source gave that row, as `both_sides` makes it; null where nobody may change any."""

    class Meta:
        db_table = "importing_object"
        constraints = [models.UniqueConstraint(fields=["source", "kind", "key"], name="importing_object_once")]


class ImportNote(models.Model):
    """What of an object is not the same here: mapped to something near, or not possible, and why."""

    source = models.ForeignKey(ImportSource, on_delete=models.CASCADE, related_name="notes", db_index=False)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=500)
    name = models.CharField(max_length=500)
    """What people call the object, or the part of it this is about."""
    outcome = models.CharField(max_length=10)
    """`mapped`, `impossible`, or `removed`: by somebody here since it came."""
    why = models.TextField()

    class Meta:
        db_table = "importing_note"
        indexes = [models.Index(fields=["source", "kind", "key"], name="importing_note_object")]


class ImportClash(models.Model):
    """A value that was changed both here and in the source since it came: the source's counts."""

    source = models.ForeignKey(ImportSource, on_delete=models.CASCADE, related_name="clashes", db_index=False)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=500)
    name = models.CharField(max_length=500)
    """What people call the object."""
    part = models.CharField(max_length=100)
    """The setting, option or column."""
    here_it_was = models.TextField()
    it_is = models.TextField()

    class Meta:
        db_table = "importing_clash"
        indexes = [models.Index(fields=["source", "kind", "key"], name="importing_clash_object")]
