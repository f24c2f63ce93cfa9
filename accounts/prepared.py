"""Questions that Postgres reads and plans once a connection, not each time they are asked.

Django puts the values into the words of a query, so that each one is a new one to Postgres: of a
list of films, planning took a third of Postgres' time and writing the words .5 ms of the page's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper


def prepared_cursor() -> CursorWrapper:
    """A cursor for what many answers ask in the same words.

    Where queries are logged it is the usual one, so that the log has the values. Kept only where
    ``prepare_threshold`` is set in the database's options (``DATABASE_PREPARED``); else the values
    still go beside the words, and nothing stays on the connection. A value has the type that
    Python's has: in a ``SELECT`` of values alone it wants a cast.
    """
    connection = connections[DEFAULT_DB_ALIAS]  # the proxy looks it up for each of its attributes
    if connection.queries_logged:
        return connection.cursor()
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor: Any = psycopg.Cursor(connection.connection)
    return connection.make_cursor(cursor)


def array_text(numbers: Iterable[int]) -> str:
    """Whole numbers as Postgres reads an array of them, to be cast in the query.

    psycopg looks at each of a list's numbers for the type of all, and a list of small numbers is
    another type, and another prepared question, than one of large.
    """
    return f"{{{orjson.dumps(list(numbers)).decode()[1:-1]}}}"
