"""The queue's tables: what is to be done, what was done with each mail, when each task runs, and whether all rests."""

from django.db import models


class Job(models.Model):
    """One mail waiting for one stage. Claiming moves `due_at` behind the lease."""

    class State(models.IntegerChoices):
        """A quarantined job waits for a person."""

        LIVE = 0
        QUARANTINED = 2

    queue = models.CharField(max_length=32)
    state = models.SmallIntegerField(choices=State.choices, default=State.LIVE)
    due_at = models.FloatField()  # A dead worker's job comes due again when its lease ends.
    envelope = models.BinaryField()
    attempts = models.IntegerField(default=0)
    deaths = models.IntegerField(default=0)
    """How many workers ended while they held it, neither finishing it nor giving it back."""
    claim = models.BigIntegerField(default=0)
    worker = models.CharField(max_length=64, default="")
    created_at = models.FloatField()
    list_id = models.CharField(max_length=255, default="")
    message_id = models.CharField(max_length=998, default="")
    error = models.TextField(default="")

    class Meta:
        db_table = "queue_job"
        indexes = [
            models.Index(fields=["queue", "state", "due_at", "id"], name="queue_job_claim"),
        ]


class Step(models.Model):
    """One line of a mail's journey: which stage did what with it, and why."""

    journey = models.CharField(max_length=32)
    message_id = models.CharField(max_length=998)
    list_id = models.CharField(max_length=255)
    at = models.FloatField()
    stage = models.CharField(max_length=32)
    outcome = models.CharField(max_length=32)
    reason = models.TextField(default="")
    reference = models.CharField(max_length=64, default="")

    class Meta:
        db_table = "queue_step"
        indexes = [
            models.Index(fields=["message_id"], name="queue_step_message"),
            models.Index(fields=["journey"], name="queue_step_journey"),
            models.Index(fields=["at"], name="queue_step_at"),
        ]


class TaskRun(models.Model):
    """One task of the timetable: when it is due, and how its last run ended (seconds since 1970)."""

    name = models.CharField(max_length=64, primary_key=True)
    due_at = models.FloatField()
    started_at = models.FloatField(null=True)
    finished_at = models.FloatField(null=True)
    error = models.TextField(default="")

    class Meta:
        db_table = "queue_task"


class Pause(models.Model):
    """While its one row stands, mail is accepted and kept, but no stage, delivery or task begins anything."""

    until = models.FloatField()
    """Seconds since 1970; the one who paused moves it on, so that a dead one does not stop the site for ever."""
    reason = models.CharField(max_length=200)

    class Meta:
        db_table = "queue_pause"
