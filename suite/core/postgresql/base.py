"""Django's PostgreSQL with its pool, which forgets every idle connection as soon as one proves dead.

psycopg's pool can look at a connection before it hands it out, but waits 1, 2, 4 … seconds after each dead one: a process with
four idle connections would answer nothing but errors until its time-out after PostgreSQL was restarted (PROMISES 11).
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """The engine of settings.DATABASES. CONN_HEALTH_CHECKS stays off: the look at a connection is taken here."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        found = super().get_new_connection(conn_params)
        pool = self.pool
        if pool is None:
            return found
        try:
            ConnectionPool.check_connection(found)
        except psycopg.OperationalError:
            # The others sat idle as long as this one. What the pool opens instead is new.
            pool.drain()
            pool.putconn(found)
            return super().get_new_connection(conn_params)
        return found
