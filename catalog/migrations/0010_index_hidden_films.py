"""Which films are hidden, without reading all of them."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0009_indexes_of_conditions")]

    operations = [
        AddIndexConcurrently(
            "movie",
            models.Index(
                fields=["id"], condition=models.Q(is_hidden=True), name="catalog_movie_hidden"
            ),
        ),
    ]
