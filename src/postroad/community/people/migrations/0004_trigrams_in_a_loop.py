"""PostgreSQL plans a function in SQL anew in each statement, so for each newcomer; one in PL/pgSQL once a connection.

It gives the same trigrams, so the indexes made with it stay as they are.
"""

from django.db import migrations

LOOP = """CREATE OR REPLACE FUNCTION people_trigrams(text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    words text := lower($1);
    trigrams text[] := '{}';
BEGIN
    FOR at IN 1 .. length(words) - 2 LOOP
        trigrams := trigrams || substr(words, at, 3);
    END LOOP;
    RETURN trigrams;
END $$"""


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(LOOP)


class Migration(migrations.Migration):
    dependencies = [("people", "0003_trigrams")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
