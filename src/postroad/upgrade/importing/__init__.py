"""The frame of all importers: what there is to bring in, step by step, resumable, repeatable, and told in one report.

An importer is a tuple of `Step`s (`plan.py`). A step reads objects of one kind from the old installation, in an order
that is the same every time, and writes them in batches by the verbs of the slices. `engine.py` runs them: each batch
is one transaction, and in it stands, for each object, where it came from, what it became here and a fingerprint of
what it was (`models.py`). From that follows everything else:

- *resumed*: killed at any moment, a batch is there or not; the next run passes over what is there;
- *idempotent*: an object whose fingerprint is the same is not touched, which is what makes a second run cheap;
- *incremental*: run beside the living old system, then once more for the last minute: what changed is written again,
  what is gone there is taken away here;
- *never stopped by an object*: a batch that cannot be written is written one by one; what is bad is named in the
  report, with the reason, and tried again by the next run;
- *plan first*: `--dry-run` is the same run, on a copy of the database or inside a transaction that is rolled back.

`report.py` tells it as text, HTML and JSON: each kind's counts, and one by one what is not the same here as it was.
"""
