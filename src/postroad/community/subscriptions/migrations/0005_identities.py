"""Addresses are known by their identity (ADR 12)."""

from django.db import migrations

from postroad.foundation.respelling import respell, respell_copies


def change(apps, schema_editor):
    respell_copies(apps.get_model("subscriptions", "Member"), "email", apps.get_model("people", "Address"))
    respell(apps.get_model("subscriptions", "Pending"), "email")
    respell(apps.get_model("subscriptions", "Consent"), "email")


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0004_roster_order"), ("people", "0006_identities")]
    operations = [migrations.RunPython(change, migrations.RunPython.noop, elidable=True)]
