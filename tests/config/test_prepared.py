"""What most answers ask is prepared once a connection; and nothing is where it must not be."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from accounts.models import User
from feedback.selectors import feedback_of
from recommendations.standing import standing_of

pytestmark = pytest.mark.django_db(transaction=True)


def _asked_of(user: User) -> tuple[object, ...]:
    again = User.objects.get(pk=user.pk)
    return again, feedback_of(again).history, standing_of(again, None, n=20, generation=0).barred


def _prepared() -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements")
        return cursor.fetchall()


@pytest.fixture
def ada() -> User:
    """Somebody, on a connection of her own: tests share one, and what others prepared on it."""
    connection.close()
    return User.objects.create_user(email="ada@example.org", password="correct horse")


@pytest.fixture
def migration() -> Iterator[psycopg.Connection]:
    """Another session, whose changes are there at once."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        yield other
        for table in ("accounts_user", "accounts_tastesettings"):
            other.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS novelty")


def test_a_question_asked_again_is_not_planned_again(ada):
    before = _asked_of(ada)
    for _ in range(3):
        assert _asked_of(ada) == before
    known = _prepared()
    assert len(known) == 3  # the user, the feedback, the standing
    assert {n for _, n in known} == {4}


def test_a_migration_while_we_serve_is_noticed(ada, migration):
    before = _asked_of(ada)
    for table in ("accounts_user", "accounts_tastesettings"):
        migration.execute(f"ALTER TABLE {table} ADD COLUMN novelty int")
        assert _asked_of(ada) == before


def test_where_a_pooler_could_not_nothing_is_prepared(ada, monkeypatch):
    before = _asked_of(ada)
    connection.close()
    connection.connect()
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    assert _asked_of(ada) == before
    assert _prepared() == []


def test_a_question_is_logged_with_its_values(ada, django_assert_num_queries):
    with django_assert_num_queries(1) as asked:
        User.objects.get(pk=ada.pk)
    assert asked[0]["sql"].endswith(f"WHERE id = {ada.pk}")
