"""May a migration run while the release before still serves? (docs/operations.md, "Upgrading")

During an upgrade without a gap the new schema is there first and the old code writes to it for a
while. So a release only adds what old code does not notice, and takes away what the release before
no longer used: expand, deploy, contract. A migration that takes something away says which release
stopped using it: ``unused_since = "0.3"`` in its class.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models.fields import NOT_PROVIDED

#: The last migration of each app in the first release: nothing older than these was ever live.
FIRST_RELEASE = {"accounts": 8, "catalog": 12, "feedback": 9, "recommendations": 6, "dashboard": 2}

_TAKES_AWAY = (
    migrations.DeleteModel,
    migrations.RemoveField,
    migrations.RenameField,
    migrations.RenameModel,
    migrations.AlterModelTable,
    migrations.AlterUniqueTogether,
)


def policy_violations() -> list[str]:
    """One sentence for each operation of our migrations that old code would trip over."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return [
        said
        for (app, name), migration in sorted(loader.disk_migrations.items())
        if app in FIRST_RELEASE and int(name[:4]) > FIRST_RELEASE[app]
        for said in violations_of(migration)
    ]


def violations_of(migration: migrations.Migration) -> list[str]:
    """The same for one migration."""
    new_here = {
        operation.name_lower
        for operation in migration.operations
        if isinstance(operation, migrations.CreateModel)
    }
    where = f"{migration.app_label}.{migration.name}"
    return [
        f"{where}: {said}"
        for operation in _flat(migration.operations)
        if getattr(operation, "model_name_lower", "") not in new_here
        for said in _wrong_with(operation, migration)
    ]


def _flat(operations: Any) -> Iterator[Operation]:
    """Also what is done to the database alone."""
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _wrong_with(operation: Operation, migration: migrations.Migration) -> list[str]:
    said = []
    if isinstance(operation, _TAKES_AWAY) and not getattr(migration, "unused_since", ""):
        said.append(
            f"{operation.describe()}: code of the release before still reads it. Stop using it in "
            'one release, take it away in the next, with unused_since = "..." in the migration.'
        )
    if isinstance(operation, migrations.AddField) and not _is_filled_by_database(operation.field):
        said.append(
            f"{operation.describe()}: rows that the release before inserts would lack it. "
            "Give it null=True or db_default."
        )
    if isinstance(operation, migrations.AddIndex) and type(operation) is migrations.AddIndex:
        said.append(f"{operation.describe()}: writes wait meanwhile. Use AddIndexConcurrently.")
    if type(operation) is migrations.AddConstraint:
        said.append(
            f"{operation.describe()}: the table is locked while every row is looked at. Use "
            "AddConstraintNotValid and, in the next migration, ValidateConstraint; a unique "
            "constraint stands on an index made with AddIndexConcurrently."
        )
    if isinstance(operation, migrations.RunPython | migrations.RunSQL) and not operation.reversible:
        said.append(f"{operation.describe()}: it cannot be taken back. Give it a reverse.")
    return said


def _is_filled_by_database(field: models.Field[Any, Any]) -> bool:
    return bool(field.null or field.many_to_many or field.db_default is not NOT_PROVIDED)
