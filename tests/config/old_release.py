"""A database as an older Marquee left it, with a row in every table: for the upgrade's test.

    DATABASE_URL=... python -m tests.config.old_release release      # the first release
    DATABASE_URL=... python -m tests.config.old_release beginning    # the oldest tables

Rows are made through the models as they were then, in an empty database.
"""

from __future__ import annotations

import os
import sys
from typing import Any

#: The first migration of each app after which people, films, feedback and models can be there.
BEGINNING = {"accounts": 1, "catalog": 2, "feedback": 1, "recommendations": 1, "dashboard": 1}


def main(which: str) -> None:
    """Migrates the database that the environment names as far as that, and fills it."""
    import django

    django.setup()
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from config.migration_policy import FIRST_RELEASE

    numbers = {"release": FIRST_RELEASE, "beginning": BEGINNING}[which]
    executor = MigrationExecutor(connection)
    leaves = executor.loader.graph.leaf_nodes()
    # Other people's apps have no release of ours: all they have, unless it needs more of ours.
    wanted = [node for node in leaves if node[0] not in numbers] + [
        (app, name)
        for app, name in executor.loader.disk_migrations
        if app in numbers and int(name[:4]) == numbers[app]
    ]
    state = executor.migrate(wanted)
    sys.stdout.write(f"{fill(state.apps)} tables filled\n")


def fill(apps: Any) -> int:
    """One row of each model, those first that others lead to; how many."""
    from tests.security.belongings import row_of

    made: dict[Any, Any] = {}
    waiting = [m for m in apps.get_models() if m._meta.managed and not m._meta.proxy]
    while waiting:
        ready = [m for m in waiting if _leads_to(m) <= made.keys() | {m}]
        if not ready:
            raise ValueError(f"These lead to each other: {waiting}")
        for model in ready:
            waiting.remove(model)
            made[model] = row_of(model, made)
    return len(made)


def _leads_to(model: Any) -> set[Any]:
    return {field.related_model for field in model._meta.concrete_fields if field.is_relation}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    main(sys.argv[1])
