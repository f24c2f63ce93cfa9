"""HNSW indexes, built while films are read and written."""

from django.contrib.postgres.indexes import OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Cast
from pgvector.django import HalfVectorField, HnswIndex


def _index(*, encoder: str, dim: int, name: str) -> HnswIndex:
    return HnswIndex(
        OpClass(Cast("vector", HalfVectorField(dimensions=dim)), name="halfvec_cosine_ops"),
        name=name,
        m=16,
        ef_construction=64,
        condition=models.Q(encoder=encoder),
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0005_embeddings")]

    operations = [
        AddIndexConcurrently(
            "movieembedding",
            _index(encoder="all-MiniLM-L6-v2", dim=384, name="catalog_hnsw_minilm"),
        ),
        AddIndexConcurrently(
            "movieembedding",
            _index(encoder="all-mpnet-base-v2", dim=768, name="catalog_hnsw_mpnet"),
        ),
    ]
