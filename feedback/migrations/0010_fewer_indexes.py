"""Indexes of foreign keys that another index of the table begins with: 21 entries a list."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("feedback", "0009_index_visits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="impression",
            name="slate",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="impressions",
                to="feedback.slate",
            ),
        ),
        migrations.AlterField(
            model_name="slate",
            name="user",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="slates",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
