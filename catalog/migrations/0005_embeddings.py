"""Tables for vectors and words of films; the indexes follow on their own, concurrently."""

import django.db.models.deletion
import pgvector.django.halfvec
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0004_tmdb")]

    operations = [
        migrations.CreateModel(
            name="EncoderSpace",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("encoder", models.CharField(max_length=200, unique=True)),
                ("dim", models.PositiveSmallIntegerField()),
                ("is_active", models.BooleanField(default=False)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_active", True)),
                        fields=("is_active",),
                        name="catalog_encoderspace_one_active",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchTerm",
            fields=[
                ("term", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("n_films", models.PositiveIntegerField()),
                ("movie_ids", models.BinaryField()),
                ("impacts", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="MovieEmbedding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("encoder", models.CharField(max_length=200)),
                ("text_sha256", models.CharField(max_length=64)),
                ("vector", pgvector.django.halfvec.HalfVectorField()),
                ("embedded_at", models.DateTimeField(auto_now=True)),
                (
                    "movie",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="embeddings",
                        to="catalog.movie",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("movie", "encoder"), name="catalog_movieembedding_movie_encoder"
                    )
                ],
            },
        ),
    ]
