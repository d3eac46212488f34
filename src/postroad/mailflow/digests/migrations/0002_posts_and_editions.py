import django.db.models.deletion
from django.db import migrations, models


def take_over(apps, schema_editor):
    """What was kept waits for the next digest."""
    from postroad.foundation.queue.envelope import decode

    Kept, Post, Edition = (apps.get_model("digests", name) for name in ("Kept", "Post", "Edition"))
    lists = dict(apps.get_model("lists", "MailingList").objects.values_list("list_id", "pk"))
    for kept in Kept.objects.order_by("pk").iterator(500):
        if kept.list_id not in lists:
            continue  # The list was removed; nobody is left to send it to.
        envelope = decode(bytes(kept.envelope))
        list_pk = lists[kept.list_id]
        Post.objects.create(
            mailing_list_id=list_pk, journey=envelope.journey, message=kept.message, message_id=kept.message_id,
            size=envelope.size, received_at=kept.received_at,
        )
        edition, _ = Edition.objects.get_or_create(mailing_list_id=list_pk, frequency="")
        edition.posts += 1
        edition.size += envelope.size
        edition.save()


class Migration(migrations.Migration):

    dependencies = [
        ("digests", "0001_initial"),
        ("lists", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Post",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("journey", models.CharField(max_length=32)),
                ("message", models.CharField(max_length=64)),
                ("message_id", models.CharField(max_length=998)),
                ("size", models.BigIntegerField()),
                ("received_at", models.FloatField()),
                ("mailing_list", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="lists.mailinglist")),
            ],
            options={
                "db_table": "digests_post",
                "indexes": [models.Index(fields=["mailing_list", "id"], name="digests_post_list")],
            },
        ),
        migrations.CreateModel(
            name="Edition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("frequency", models.CharField(blank=True, max_length=8)),
                ("last_post", models.BigIntegerField(default=0)),
                ("posts", models.IntegerField(default=0)),
                ("size", models.BigIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                ("volume", models.IntegerField(default=1)),
                ("next_number", models.IntegerField(default=1)),
                ("mailing_list", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="lists.mailinglist")),
            ],
            options={
                "db_table": "digests_edition",
                "constraints": [models.UniqueConstraint(fields=("mailing_list", "frequency"), name="digests_edition_once")],
            },
        ),
        migrations.CreateModel(
            name="Issue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("frequency", models.CharField(blank=True, max_length=8)),
                ("volume", models.IntegerField()),
                ("number", models.IntegerField()),
                ("first_post", models.BigIntegerField()),
                ("last_post", models.BigIntegerField()),
                ("mailing_list", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="lists.mailinglist")),
            ],
            options={"db_table": "digests_issue"},
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop, elidable=True),
        migrations.DeleteModel(name="Kept"),
    ]
