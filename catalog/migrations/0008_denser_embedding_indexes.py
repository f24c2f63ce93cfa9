"""HNSW indexes with more neighbours: .98 of the true nearest films instead of .94.

The new stand before the old go: search is never without one.
"""

from django.contrib.postgres.indexes import OpClass
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Cast
from pgvector.django import HalfVectorField, HnswIndex


def _index(*, encoder: str, dim: int, name: str) -> HnswIndex:
    return HnswIndex(
        OpClass(Cast("vector", HalfVectorField(dimensions=dim)), name="halfvec_cosine_ops"),
        name=name,
        m=24,
        ef_construction=200,
        condition=models.Q(encoder=encoder),
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0007_llm_calls")]

    operations = [
        AddIndexConcurrently(
            "movieembedding",
            _index(encoder="all-MiniLM-L6-v2", dim=384, name="catalog_hnsw_minilm_m24"),
        ),
        AddIndexConcurrently(
            "movieembedding",
            _index(encoder="all-mpnet-base-v2", dim=768, name="catalog_hnsw_mpnet_m24"),
        ),
        RemoveIndexConcurrently("movieembedding", "catalog_hnsw_minilm"),
        RemoveIndexConcurrently("movieembedding", "catalog_hnsw_mpnet"),
    ]
