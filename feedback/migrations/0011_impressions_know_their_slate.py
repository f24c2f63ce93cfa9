"""Impressions are written in one statement with their slate: Postgres need not look for it again.

Deleting a slate deletes its impressions as before: Django does that.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("feedback", "0010_fewer_indexes")]

    operations = [
        migrations.AlterField(
            model_name="impression",
            name="slate",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="impressions",
                to="feedback.slate",
            ),
        ),
    ]
