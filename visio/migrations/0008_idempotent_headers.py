from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("visio", "0007_feed_version"),
    ]

    operations = [
        migrations.AddField(
            model_name="idempotentresponse",
            name="headers",
            field=models.JSONField(null=True),
        ),
    ]
