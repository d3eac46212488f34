from django.db import migrations, models

FILL = """UPDATE bounces_probe SET email = COALESCE(
    (SELECT m.email FROM subscriptions_member m WHERE m.id = bounces_probe.member_id), '')"""


class Migration(migrations.Migration):

    dependencies = [
        ('bounces', '0001_initial'),
        ('subscriptions', '0004_roster_order'),
    ]

    operations = [
        migrations.AddField(
            model_name='probe',
            name='email',
            field=models.CharField(default='', max_length=255),
            preserve_default=False,
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop, elidable=True),
    ]
