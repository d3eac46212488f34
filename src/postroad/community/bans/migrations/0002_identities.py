"""Addresses are known by their identity (ADR 12)."""

from django.db import migrations

from postroad.foundation.respelling import respell


def change(apps, schema_editor):
    respell(apps.get_model("bans", "Ban"), "email", drop_twins=True)


class Migration(migrations.Migration):
    dependencies = [("bans", "0001_initial")]
    operations = [migrations.RunPython(change, migrations.RunPython.noop, elidable=True)]
