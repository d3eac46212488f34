"""The index of words: FTS5 on SQLite, tsvector on PostgreSQL."""

from django.db import migrations

SQLITE = "CREATE VIRTUAL TABLE archive_search USING fts5(scope, subject, sender, body, content='', tokenize='unicode61 remove_diacritics 0')"
POSTGRESQL = (
    "CREATE TABLE archive_search (mail_id bigint PRIMARY KEY, words tsvector NOT NULL)",
    "CREATE INDEX archive_search_words ON archive_search USING gin (words)",
)


def create(apps, schema_editor):
    statements = POSTGRESQL if schema_editor.connection.vendor == "postgresql" else (SQLITE,)
    for statement in statements:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE archive_search")


class Migration(migrations.Migration):
    dependencies = [("archive", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
