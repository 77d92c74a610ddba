"""Tokens made before rights could be chosen keep all that they could do."""

from django.db import migrations

_FILL = """
UPDATE agents_personaltoken
   SET scopes = ARRAY['meetings:read', 'meetings:write', 'answers:write', 'directory:read', 'presence:read',
                      'presence:write', 'availability:read', 'polls:read', 'polls:write', 'resources:read']
 WHERE scopes = '{}'
"""


class Migration(migrations.Migration):
    dependencies = [("agents", "0003_times_and_rights")]

    operations = [migrations.RunSQL(_FILL, migrations.RunSQL.noop)]
