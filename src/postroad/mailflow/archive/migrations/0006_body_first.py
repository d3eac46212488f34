"""The index of a new site has the body first; that of a site with mails is built anew beside the old one."""

from django.db import migrations

FORMER, PRESENT = 3, 4
SQLITE = (
    "DROP TABLE archive_search",
    "CREATE VIRTUAL TABLE archive_search USING fts5(body, subject, sender, scope, content='', tokenize='unicode61 remove_diacritics 0')",
)


def put_body_first(apps, schema_editor):
    state = apps.get_model("archive", "IndexState").objects
    if schema_editor.connection.vendor == "postgresql":
        # Nothing changed there.
        state.filter(version=FORMER).update(version=PRESENT)
    elif not apps.get_model("archive", "Mail").objects.exists():
        for statement in SQLITE:
            schema_editor.execute(statement)
        state.update(version=PRESENT)


class Migration(migrations.Migration):
    dependencies = [("archive", "0005_index_state")]
    operations = [migrations.RunPython(put_body_first, migrations.RunPython.noop)]
