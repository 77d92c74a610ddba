"""When a calendar feed last said something else."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("visio", "0006_occurrence_by_start")]

    operations = [
        migrations.AddField(
            model_name="calendarfeed",
            name="changed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="calendarfeed",
            name="version",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=64),
        ),
    ]
