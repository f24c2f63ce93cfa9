"""The table of the default cache: login limits must survive a dead Redis."""

from django.core.management import call_command
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def create_cache_table(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Does nothing where the cache is not a table, or the table is there."""
    call_command("createcachetable", database=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_people")]
    operations = [migrations.RunPython(create_cache_table, migrations.RunPython.noop)]
