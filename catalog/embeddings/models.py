"""Vectors of films, the encoders they come from, and the words of all films."""

from __future__ import annotations

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Cast
from pgvector.django import HalfVectorField, HnswIndex

# Recall@20 at 70,557 films, 17 % of them allowed: 16 and 64 give .94 (ef_search 400), these .98
# (benchmarks/search.py); the index grows from 79 to 82 MB, and is built in a minute.
HNSW_M = 24
HNSW_EF_CONSTRUCTION = 200


def hnsw_index(*, encoder: str, dim: int, name: str) -> HnswIndex:
    """The index of one encoder's vectors: partial, since dimensions differ between encoders."""
    return HnswIndex(
        OpClass(Cast("vector", HalfVectorField(dimensions=dim)), name="halfvec_cosine_ops"),
        name=name,
        m=HNSW_M,
        ef_construction=HNSW_EF_CONSTRUCTION,
        condition=models.Q(encoder=encoder),
    )


class EncoderSpace(models.Model):
    """One encoder's vectors as a whole; search uses the active space, and there is at most one.

    A new encoder's space fills beside the active one and becomes active once it is complete.
    """

    encoder = models.CharField(max_length=200, unique=True)
    dim = models.PositiveSmallIntegerField()
    is_active = models.BooleanField(default=False)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"],
                condition=models.Q(is_active=True),
                name="catalog_encoderspace_one_active",
            )
        ]

    def __str__(self) -> str:
        return f"{self.encoder} ({self.dim})"


class MovieEmbedding(models.Model):
    """What a film is about, as one encoder sees it; ``text_sha256`` names the text it saw."""

    movie = models.ForeignKey("catalog.Movie", on_delete=models.CASCADE, related_name="embeddings")
    encoder = models.CharField(max_length=200)
    text_sha256 = models.CharField(max_length=64)
    # No dimension here: encoders differ, and each has an index of its own over its own cast.
    vector = HalfVectorField()
    embedded_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["movie", "encoder"], name="catalog_movieembedding_movie_encoder"
            )
        ]
        indexes = [
            hnsw_index(encoder="all-MiniLM-L6-v2", dim=384, name="catalog_hnsw_minilm_m24"),
            hnsw_index(encoder="all-mpnet-base-v2", dim=768, name="catalog_hnsw_mpnet_m24"),
        ]

    def __str__(self) -> str:
        return f"{self.movie_id} by {self.encoder}"


class SearchTerm(models.Model):
    """A word and the films that say it: an inverted index for BM25, which Postgres lacks.

    ``movie_ids`` is little-endian int32, ascending; ``impacts`` float16, the term's share of each
    film's BM25 score (Robertson and Zaragoza 2009), in the same order.
    """

    term = models.CharField(max_length=120, primary_key=True)
    n_films = models.PositiveIntegerField()
    movie_ids = models.BinaryField()
    impacts = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.term} ({self.n_films})"
