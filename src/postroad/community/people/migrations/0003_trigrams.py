"""An index of parts of addresses and names: FTS5's trigrams on SQLite, an array of them under GIN on PostgreSQL.

PostgreSQL's own `pg_trgm` is an extension that a site's role may not be allowed to make, or that is not installed.
"""

from django.db import migrations

ADDRESS = "{row}.email || ' ' || {row}.display_name"
SQLITE = [
    "CREATE VIRTUAL TABLE people_trigrams USING fts5(words, content='', detail='none', tokenize='trigram')",
    f"INSERT INTO people_trigrams (rowid, words) SELECT a.id, {ADDRESS.format(row='a')} FROM people_address a",
    "INSERT INTO people_trigrams (rowid, words) SELECT -id, display_name FROM people_user WHERE display_name <> ''",
]
"""Addresses stand under their keys, users under the negative of theirs: one index is written once for a newcomer."""


def _triggers(table, sign, words, columns, condition):
    """What keeps the index like its table, whoever writes there; a row without a name is not in it."""

    def add(row):
        return f"INSERT INTO people_trigrams (rowid, words) SELECT {sign}{row}.id, {words.format(row=row)}{condition.format(row=row)};"

    def remove(row):
        told = f"SELECT 'delete', {sign}{row}.id, {words.format(row=row)}{condition.format(row=row)}"
        return f"INSERT INTO people_trigrams (people_trigrams, rowid, words) {told};"

    changed = f"AFTER UPDATE OF {columns} ON {table} WHEN ({words.format(row='old')}) <> ({words.format(row='new')})"
    return [
        f"CREATE TRIGGER {table}_added AFTER INSERT ON {table} BEGIN {add('new')} END",
        f"CREATE TRIGGER {table}_changed {changed} BEGIN {remove('old')} {add('new')} END",
        f"CREATE TRIGGER {table}_removed AFTER DELETE ON {table} BEGIN {remove('old')} END",
    ]


SQLITE += _triggers("people_address", "", ADDRESS, "email, display_name", "")
SQLITE += _triggers("people_user", "-", "{row}.display_name", "display_name", " WHERE {row}.display_name <> ''")
# A search reads what was added since the index was last put in order, so that must stay short.
OPTIONS = "WITH (gin_pending_list_limit = 256)"
POSTGRESQL = [
    "CREATE OR REPLACE FUNCTION people_trigrams(text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS"
    " $$ SELECT ARRAY(SELECT substr(t, i, 3) FROM lower($1) AS t, generate_series(1, length(t) - 2) AS i) $$",
    "CREATE INDEX people_address_trigrams ON people_address"
    f" USING gin (people_trigrams(email || ' ' || display_name)) {OPTIONS}",
    f"CREATE INDEX people_user_trigrams ON people_user USING gin (people_trigrams(display_name)) {OPTIONS}",
]


def create(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("people", "0002_digests_left")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
