"""Looking for a person everywhere: in every column of every table, in Redis, in our files.

The tables are those that the database has, not those that somebody thought of: a table or a JSON
column added later is searched, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import redis
from django.conf import settings
from django.db import connection
from psycopg import sql

from accounts.deletion import session_keys_of
from accounts.models import User
from recommendations.training_data import LIVE_USER_OFFSET

_TEXTS = ("text", "character varying", "character", "json", "jsonb", "ARRAY", "citext")
# Names of columns that hold a person's number without being foreign keys.
_PERSON_NAMES = ("user_id", "person_id", "owner_id", "requested_by_id")
# The servers' own files, and pictures: no text of ours.
_NOT_SEARCHED = frozenset({"postgres", "redis", "images", "static"})
_MAX_FILE_BYTES = 64 * 1024 * 1024
_REFERENCES = """
    SELECT c.conrelid::regclass::text, a.attname
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f' AND c.confrelid = 'accounts_user'::regclass
"""


@dataclass(frozen=True)
class Subject:
    """What a person can be recognised by, taken down before they go."""

    user_id: int
    words: tuple[str, ...]

    @classmethod
    def of(cls, user: User) -> Subject:
        """Number, addresses, keys of sessions."""
        from allauth.account.models import EmailAddress
        from allauth.usersessions.models import UserSession

        words = {user.email or "", user.visitor_key or ""}
        words |= set(EmailAddress.objects.filter(user=user).values_list("email", flat=True))
        words |= set(UserSession.objects.filter(user=user).values_list("session_key", flat=True))
        return cls(user.pk, tuple(sorted(word for word in words if word)))


@dataclass(frozen=True)
class Trace:
    """Where something was found, and how often."""

    where: str
    n: int


def traces_of(subject: Subject) -> list[Trace]:
    """Everything that still leads to the person; empty after they were forgotten."""
    found = [*_rows(subject), *_sessions(subject), *_redis(subject), *_files(subject)]
    return [trace for trace in found if trace.n]


def _rows(subject: Subject) -> Iterator[Trace]:
    with connection.cursor() as cursor:
        cursor.execute(_REFERENCES)
        references = {tuple(row) for row in cursor.fetchall()}
        cursor.execute(
            "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c "
            "JOIN information_schema.tables t USING (table_schema, table_name) "
            "WHERE table_schema = current_schema() AND t.table_type = 'BASE TABLE'"
        )
        columns = cursor.fetchall()
        for table, name, kind in columns:
            column = sql.Identifier(name)
            is_person = (table, name) in references or name in _PERSON_NAMES
            if (table, name) == ("accounts_user", "id") or (is_person and kind in _NUMBERS):
                condition = sql.SQL("{} = {}").format(column, sql.Literal(subject.user_id))
            elif kind in _TEXTS and subject.words:
                likes = [
                    sql.SQL("{}::text ILIKE {}").format(column, sql.Literal(f"%{_plain(word)}%"))
                    for word in subject.words
                ]
                if kind == "jsonb":
                    likes.append(_names_person(column, subject.user_id))
                condition = sql.SQL(" OR ").join(likes)
            else:
                continue
            query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
                sql.Identifier(table), condition
            )
            cursor.execute(query)
            yield Trace(f"{table}.{name}", cursor.fetchone()[0])


_NUMBERS = ("bigint", "integer")


def _names_person(column: sql.Identifier, user_id: int) -> sql.Composed:
    """Some object inside has the person's number as its user."""
    path = "$.** ? (@.user_id == $id || @.person_id == $id)"
    return sql.SQL("jsonb_path_exists({}, {}, jsonb_build_object('id', {}), true)").format(
        column, sql.Literal(path), sql.Literal(user_id)
    )


def _plain(word: str) -> str:
    """The word as LIKE takes it for itself."""
    return re.sub(r"([%_\\])", r"\\\1", word)


def _sessions(subject: Subject) -> Iterator[Trace]:
    yield Trace("sessions", len(session_keys_of(subject.user_id)))


def _redis(subject: Subject) -> Iterator[Trace]:
    """Keys and values; a Redis that is away holds nothing for anybody to find."""
    words = [word.encode() for word in subject.words]
    n_found = 0
    try:
        with redis.from_url(settings.REDIS_URL, socket_timeout=5) as client:
            for key in client.scan_iter(count=1000):
                kind = client.type(key)
                if kind == b"string":
                    values = [client.get(key) or b""]
                elif kind == b"list":
                    values = client.lrange(key, 0, -1)
                elif kind == b"hash":
                    values = [part for pair in client.hgetall(key).items() for part in pair]
                else:
                    values = []
                n_found += any(word in text for text in (key, *values) for word in words)
    except redis.RedisError:
        yield Trace("redis (did not answer)", 1)
        return
    yield Trace("redis", n_found)


def _files(subject: Subject) -> Iterator[Trace]:
    words = [word.encode() for word in subject.words]
    root = Path(settings.VAR_DIR)
    for path in _own_files(root):
        if path.suffix == ".parquet":
            n_found = _in_table(path, subject)
        else:
            content = path.read_bytes()
            n_found = sum(content.count(word) for word in words)
        yield Trace(f"file {path.relative_to(root)}", n_found)


def _own_files(root: Path) -> Iterator[Path]:
    for top in sorted(root.iterdir()) if root.exists() else ():
        if top.name in _NOT_SEARCHED or top.name.startswith("bench-"):
            continue
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and path.stat().st_size <= _MAX_FILE_BYTES:
                yield path


def _in_table(path: Path, subject: Subject) -> int:
    columns = pl.read_parquet_schema(path)
    if "user_key" not in columns:
        return 0
    mine = pl.scan_parquet(path).filter(pl.col("user_key") == LIVE_USER_OFFSET + subject.user_id)
    return int(mine.select(pl.len()).collect().item())
