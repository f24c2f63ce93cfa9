from django.db import migrations, models


class Migration(migrations.Migration):
    """A new verb; the column is text, so the database does nothing."""

    dependencies = [("feedback", "0001_feedback")]

    operations = [
        migrations.AlterField(
            model_name="reaction",
            name="kind",
            field=models.CharField(
                choices=[
                    ("like", "Like"),
                    ("dislike", "Not for me"),
                    ("seen", "Seen it"),
                    ("not_tonight", "Not tonight"),
                    ("never", "Never show this"),
                    ("muted", "Don't learn from it"),
                ],
                max_length=12,
            ),
        ),
    ]
