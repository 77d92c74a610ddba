from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("visio", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="maybe_received",
            # The default stays in the database: senders of the version before know nothing of this column.
            field=models.BooleanField(db_default=False, default=False, verbose_name="peut-être reçu"),
        ),
    ]
