"""Django's backend for Postgres; a connection taken from the pool is looked at, not asked.

Asking it for an empty answer first is a whole round trip: two processes woken for each page, a
fortieth of a list's time. A server that ended a connection (restart, failover, a limit on idle
time) has said so on its socket, where it can be read without one.
"""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError
from psycopg.pq import ConnStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's; with ``CONN_HEALTH_CHECKS`` off, a pool's connections are checked here."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        """From the pool: one that its server has not ended."""
        connection = super().get_new_connection(conn_params)
        while self.pool and has_ended(connection):
            self.pool.putconn(connection)  # which throws it away and makes another
            connection = self.pool.getconn()
        return connection


def has_ended(connection: Connection) -> bool:
    """Whether the server has ended it, as far as its socket has heard."""
    link = connection.pgconn
    if link.status != ConnStatus.OK:
        return True
    heard = select.poll()
    heard.register(link.socket, select.POLLIN)
    try:
        while heard.poll(0):  # a notice, or what it died of and then the end
            link.consume_input()
    except OperationalError:
        return True
    return link.status != ConnStatus.OK
