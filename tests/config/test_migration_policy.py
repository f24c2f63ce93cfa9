"""The release before must be able to live on the new tables."""

from __future__ import annotations

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q

from config.migration_policy import policy_violations, violations_of

FIELD = models.BooleanField(default=False)
INDEX = models.Index(fields=["year"], name="by_year")
CHECK = models.CheckConstraint(condition=Q(year__gt=0), name="year_ad")


def with_operations(*operations, **attributes) -> migrations.Migration:
    """A migration of the catalogue."""
    made = type("Migration", (migrations.Migration,), {"operations": operations, **attributes})
    return made("9999_made_up", "catalog")


def test_our_migrations_keep_to_the_policy():
    assert policy_violations() == []


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (migrations.AddField("movie", "is_new", FIELD), "Give it null=True or db_default"),
        (migrations.RemoveField("movie", "year"), "code of the release before still reads it"),
        (migrations.RenameField("movie", "year", "made"), "still reads it"),
        (migrations.DeleteModel("movie"), "still reads it"),
        (migrations.AddIndex("movie", INDEX), "Use AddIndexConcurrently"),
        (migrations.AddConstraint("movie", CHECK), "Use AddConstraintNotValid"),
        (migrations.RunPython(lambda *_: None), "Give it a reverse"),
        (migrations.RunSQL("SELECT 1"), "Give it a reverse"),
        (
            migrations.SeparateDatabaseAndState([migrations.RemoveField("movie", "year")], []),
            "still reads it",
        ),
    ],
)
def test_what_old_code_would_trip_over_is_named(operation, said):
    (found,) = violations_of(with_operations(operation))
    assert found.startswith("catalog.9999_made_up: ")
    assert said in found


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("movie", "a", models.BooleanField(null=True)),
        migrations.AddField("movie", "b", models.BooleanField(db_default=False)),
        migrations.AddField("movie", "c", models.ManyToManyField("catalog.Genre")),
        AddIndexConcurrently("movie", INDEX),
        AddConstraintNotValid("movie", CHECK),
        migrations.RunPython(lambda *_: None, migrations.RunPython.noop),
    ],
)
def test_what_it_does_not_notice_is_fine(operation):
    assert violations_of(with_operations(operation)) == []


def test_tables_of_the_same_migration_are_nobodys_yet():
    new = migrations.CreateModel("Prize", [("id", models.BigAutoField(primary_key=True))])
    more = migrations.AddIndex("prize", models.Index(fields=["id"], name="prize_id"))
    assert violations_of(with_operations(new, more)) == []


def test_taking_away_what_is_unused_since_a_release_is_fine():
    gone = migrations.RemoveField("movie", "year")
    assert violations_of(with_operations(gone, unused_since="0.3")) == []


@pytest.mark.django_db
@pytest.mark.parametrize("is_filled", [True, False])
def test_the_policy_is_right_about_postgres(is_filled):
    """Old code inserts into a table with a new column: works exactly where the policy says so."""
    executor = MigrationExecutor(connection)
    old = executor.loader.project_state(executor.loader.graph.leaf_nodes()).apps
    filled = {"db_default": False} if is_filled else {"default": False}
    operation = migrations.AddField("movie", "is_new", models.BooleanField(**filled))
    assert (violations_of(with_operations(operation)) == []) is is_filled
    before = executor.loader.project_state(executor.loader.graph.leaf_nodes())
    after = before.clone()
    operation.state_forwards("catalog", after)
    with connection.schema_editor() as editor:
        operation.database_forwards("catalog", editor, before, after)
    insert = old.get_model("catalog", "Movie").objects.create
    if is_filled:
        assert insert(title="Heat").pk
    else:
        with pytest.raises(Exception, match="null value in column"):
            insert(title="Heat")
