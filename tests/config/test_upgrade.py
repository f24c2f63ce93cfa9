"""A dump of an older Marquee, restored and migrated: every row is there and can be read."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from config.backup import postgres
from tests.config.places import Place

pytestmark = pytest.mark.django_db(transaction=True)
# Django's own bookkeeping grows with every migration.
GROWS = {"django_migrations", "django_content_type", "auth_permission"}
READ = """
from django.apps import apps
for model in apps.get_models():
    print(model._meta.db_table, len(model._base_manager.all()))
"""


@pytest.fixture
def old(tmp_path):
    """A database for the older Marquee."""
    with Place.made(tmp_path / "old") as place:
        yield place


@pytest.fixture
def new(tmp_path):
    """An empty one for the dump."""
    with Place.made(tmp_path / "new") as place:
        yield place


def left_by(place: Place, which: str) -> None:
    """What that Marquee would have left in the database."""
    done = place.run("-m", "tests.config.old_release", which)
    assert done.returncode == 0, done.stderr
    assert "tables filled" in done.stdout


def dumped(place: Place, target: Path) -> Path:
    """As its operator would have done with pg_dump alone."""
    with place.database.connected() as opened:
        tool = postgres.program("pg_dump", at_least=postgres.server_version(opened))
    subprocess.run(
        [tool, "--format=custom", "--no-owner", f"--file={target}"],
        env=place.database.environment(),
        check=True,
    )
    return target


def load(place: Place, dump: Path) -> None:
    with place.database.connected() as opened:
        tool = postgres.program("pg_restore", at_least=postgres.server_version(opened))
    postgres.load(place.database, dump, tool=tool, show=lambda *_: None)


def rows(place: Place) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, by column."""
    found = {}
    with place.database.connected() as opened:
        for name in postgres.table_counts(opened):
            query = sql.SQL("SELECT to_jsonb(t) FROM {} t ORDER BY 1").format(sql.Identifier(name))
            found[name] = [row for (row,) in opened.execute(query).fetchall()]
    return found


@pytest.mark.parametrize("which", ["release", "beginning"])
def test_a_dump_of_an_older_marquee_is_migrated_with_all_its_rows(old, new, tmp_path, which):
    left_by(old, which)
    before = rows(old)
    filled = {name for name in before if before[name]} - {"django_migrations"}
    assert {"accounts_user", "catalog_movie", "feedback_rating", "feedback_interaction"} <= filled
    assert {"recommendations_modelversion", "mfa_authenticator", "django_session"} <= filled

    load(new, dumped(old, tmp_path / "old.dump"))
    done = new.manage("migrate", "--no-input", "-v0")

    assert done.returncode == 0, done.stderr
    after = rows(new)
    for name in filled - GROWS:
        assert len(after[name]) == len(before[name]), name
    if which == "release":
        # Nothing that people have said is written anew; columns that came are none of theirs.
        for name in filled - GROWS:
            for was, now in zip(before[name], after[name], strict=True):
                assert {column: now[column] for column in was if column in now} == was, name
    read = new.manage("shell", "-c", READ)
    assert read.returncode == 0, read.stderr
    tables = dict(line.rsplit(None, 1) for line in read.stdout.splitlines() if " " in line)
    assert all(int(tables[name]) >= 1 for name in filled & tables.keys())
    assert new.manage("migrate", "--check").returncode == 0
