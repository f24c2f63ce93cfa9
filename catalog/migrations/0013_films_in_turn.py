"""The order of the API's list of films, read from an index instead of a sort of all of them."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Cast

KEY = models.ExpressionWrapper(
    Cast(F("rating_count"), models.BigIntegerField()) * Value(1 << 32) + Value(-1) * F("id"),
    output_field=models.BigIntegerField(),
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0012_collections")]

    operations = [
        AddIndexConcurrently(
            "movie",
            models.Index(
                KEY.desc(), condition=models.Q(is_hidden=False), name="catalog_movie_in_turn"
            ),
        ),
    ]
