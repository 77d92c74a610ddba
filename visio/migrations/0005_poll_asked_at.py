from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("visio", "0004_series_places_polls"),
    ]

    operations = [
        migrations.AddField(
            model_name="pollparticipant",
            name="asked_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="sollicité le"),
        ),
    ]
