"""Empty the database after a test whose rows were committed: one statement, which touches the tables with rows alone.

Django's own way truncates all sixty tables, then makes every content type and permission anew. Here both stay.
"""

from functools import cache

from django.db import connections

# What migrations and `post_migrate` make, and no test changes.
KEPT = frozenset({"django_content_type", "auth_permission"})
# From this size on, dropping the table's file costs less than marking its rows, or than reading past those that were rolled back.
LARGE = 512 * 1024


def empty(alias: str) -> None:
    """Remove every row but those of `KEPT`; sequences go on, as with Django's flush."""
    with connections[alias].cursor() as cursor:
        cursor.execute(statement(alias))


@cache
def statement(alias: str) -> str:
    """Locked first, as TRUNCATE does: what another process has begun to write is waited for, and goes too.

    With `session_replication_role` no foreign key is asked: every table is emptied.
    """
    connection = connections[alias]
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = sorted(connection.ops.quote_name(name) for name in names if name not in KEPT)
    pieces = [
        f"IF pg_relation_size('{table}') > {LARGE} THEN TRUNCATE {table} CASCADE;"
        f" ELSIF EXISTS (SELECT FROM {table}) THEN DELETE FROM {table}; END IF;"
        for table in tables
    ]
    return (
        f"DO $$ BEGIN LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE;"
        f" SET LOCAL session_replication_role = replica; {' '.join(pieces)} END $$"
    )
