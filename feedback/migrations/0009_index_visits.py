"""When somebody last came, without walking over every list that a program fetched for them."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("feedback", "0008_interaction_request")]

    operations = [
        AddIndexConcurrently(
            "slate",
            models.Index(
                fields=["user", "-created_at"],
                condition=models.Q(surface__in=("home", "for_you")),
                name="feedback_slate_visits",
            ),
        ),
    ]
