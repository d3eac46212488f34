"""Addresses are known by their identity (ADR 12)."""

from django.db import migrations

from postroad.foundation.respelling import respell


def change(apps, schema_editor):
    respell(apps.get_model("bounces", "Probe"), "email")


class Migration(migrations.Migration):
    dependencies = [("bounces", "0002_probes_address")]
    operations = [migrations.RunPython(change, migrations.RunPython.noop, elidable=True)]
