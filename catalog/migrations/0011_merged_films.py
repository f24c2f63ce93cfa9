"""Which film a merged duplicate is."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0010_index_hidden_films")]

    operations = [
        migrations.AddField(
            model_name="movie",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="catalog.movie",
            ),
        ),
    ]
