"""Films that somebody passes over in the swipe deck are events, too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("feedback", "0002_reaction_muted")]

    operations = [
        migrations.AlterField(
            model_name="interaction",
            name="kind",
            field=models.CharField(
                choices=[
                    ("rate", "Rated"),
                    ("unrate", "Took a rating back"),
                    ("react", "Reacted"),
                    ("unreact", "Took a reaction back"),
                    ("watchlist", "Put on the watchlist"),
                    ("unwatchlist", "Took off the watchlist"),
                    ("open", "Opened the film's page"),
                    ("pass", "Passed over, not having seen it"),
                    ("unpass", "Took a pass back"),
                ],
                max_length=12,
            ),
        ),
    ]
