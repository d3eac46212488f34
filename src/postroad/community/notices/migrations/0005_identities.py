"""Addresses are known by their identity (ADR 12)."""

from django.db import migrations

from postroad.foundation.respelling import respell


def change(apps, schema_editor):
    respell(apps.get_model("notices", "AutoResponse"), "address", drop_twins=True)
    respell(apps.get_model("notices", "Silenced"), "address", drop_twins=True)


class Migration(migrations.Migration):
    dependencies = [("notices", "0004_fetched_by_worker")]
    operations = [migrations.RunPython(change, migrations.RunPython.noop, elidable=True)]
