"""On PostgreSQL the index of words knows the dates of mails; that of a site with mails is built anew beside the old one."""

from django.db import migrations

FORMER, PRESENT = 4, 5
NEW = (
    "DROP TABLE archive_search",
    "CREATE TABLE archive_search (mail_id bigint PRIMARY KEY, date timestamptz, words tsvector NOT NULL)",
    "CREATE INDEX archive_search_words ON archive_search USING gin (words)",
    "CREATE INDEX archive_search_dates ON archive_search (date DESC NULLS LAST, mail_id DESC)",
)
OLD = ("ALTER TABLE archive_search ADD COLUMN IF NOT EXISTS date timestamptz",)
"""Until the new one is there this one is written to and searched; one that `postroad restore` made has the column."""


def add_dates(apps, schema_editor):
    state = apps.get_model("archive", "IndexState").objects
    if schema_editor.connection.vendor != "postgresql":
        # Nothing changed there.
        state.filter(version=FORMER).update(version=PRESENT)
        return
    has_mails = apps.get_model("archive", "Mail").objects.exists()
    for statement in OLD if has_mails else NEW:
        schema_editor.execute(statement)
    if not has_mails:
        state.update(version=PRESENT)


class Migration(migrations.Migration):
    dependencies = [("archive", "0006_body_first")]
    operations = [migrations.RunPython(add_dates, migrations.RunPython.noop)]
