"""The people of a unit, without reading the whole directory."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agents", "0004_tokens_keep_their_rights")]

    operations = [
        migrations.AddIndex(
            model_name="agent",
            index=models.Index(
                condition=models.Q(("is_active", True)),
                fields=["organisation", "organizational_unit"],
                name="agent_by_unit",
            ),
        ),
    ]
