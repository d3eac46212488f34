"""Addresses are known by their identity; where two were one mailbox, the second stays as it is (ADR 12)."""

from django.db import migrations

from postroad.foundation.respelling import respell, respell_copies


def change(apps, schema_editor):
    addresses = apps.get_model("people", "Address")
    respell(addresses, "email")
    respell_copies(apps.get_model("people", "User"), "email", addresses)
    respell_copies(apps.get_model("account", "EmailAddress"), "email", addresses)


class Migration(migrations.Migration):
    dependencies = [("people", "0005_found_by_the_index"), ("account", "0009_emailaddress_unique_primary_email")]
    operations = [migrations.RunPython(change, migrations.RunPython.noop, elidable=True)]
