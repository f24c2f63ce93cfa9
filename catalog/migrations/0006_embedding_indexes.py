"""HNSW indexes, built while films are read and written."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations

from catalog.embeddings.models import hnsw_index


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0005_embeddings")]

    operations = [
        AddIndexConcurrently(
            "movieembedding",
            hnsw_index(encoder="all-MiniLM-L6-v2", dim=384, name="catalog_hnsw_minilm"),
        ),
        AddIndexConcurrently(
            "movieembedding",
            hnsw_index(encoder="all-mpnet-base-v2", dim=768, name="catalog_hnsw_mpnet"),
        ),
    ]
