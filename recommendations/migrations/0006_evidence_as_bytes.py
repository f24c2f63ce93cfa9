from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0005_experiments"),
    ]

    operations = [
        # Empty and stale: the next run of batch inference fills them.
        migrations.RunSQL(
            "UPDATE recommendations_recommendation"
            " SET feedback_generation = 0, movie_ids = '{}', scores = '{}'",
            migrations.RunSQL.noop,
        ),
        migrations.RemoveField(model_name="recommendation", name="evidence"),
        migrations.AddField(
            model_name="recommendation",
            name="evidence",
            field=models.BinaryField(default=b""),
            preserve_default=False,
        ),
        # Columns of doubles hardly shrink: compressing them would only take time.
        migrations.RunSQL(
            "ALTER TABLE recommendations_recommendation ALTER COLUMN evidence SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
    ]
