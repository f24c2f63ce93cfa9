"""Recommendations as the API speaks of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.urls import reverse
from rest_framework import serializers

from catalog.models import Movie
from recommendations.cards import cards_for, titles_of
from recommendations.ranked import RankedList

MAX_EVIDENCE = 5  # films of the history that an answer names


class EvidenceSerializer(serializers.Serializer):
    """A film of the caller's history that speaks for (or against) the recommended one."""

    movie_id = serializers.IntegerField()
    title = serializers.CharField(allow_blank=True)
    share = serializers.FloatField(help_text="Of everything that speaks for the film, 0 to 1.")
    contribution = serializers.FloatField(help_text="Its part of the score.")


class TermSerializer(serializers.Serializer):
    """A step of re-ranking and what it adds to the score."""

    name = serializers.CharField()
    contribution = serializers.FloatField()


class FeatureSerializer(serializers.Serializer):
    """A feature that a learned ranking went by, and what it adds to the score."""

    name = serializers.CharField()
    value = serializers.FloatField()
    contribution = serializers.FloatField()


class RecommendedFilmSerializer(serializers.Serializer):
    """A film, its place, and why."""

    movie_id = serializers.IntegerField()
    title = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    genres = serializers.ListField(child=serializers.CharField())
    poster_url = serializers.CharField()
    # A field named source hides no attribute: the metaclass takes declared fields off the class.
    source = serializers.CharField(  # type: ignore[assignment]
        help_text="Which source put the film here."
    )
    score = serializers.FloatField(allow_null=True)
    baseline = serializers.FloatField(help_text="The part of the score not from the history.")
    reason = serializers.CharField()
    evidence = EvidenceSerializer(many=True)
    terms = TermSerializer(
        many=True,
        help_text="What the steps of re-ranking add: genres, variety, dials and the like.",
    )
    features = FeatureSerializer(
        many=True, help_text="Of a ranking learned from features, the strongest; else empty."
    )
    other = serializers.FloatField(
        help_text="Parts not listed: baseline, evidence, terms, features and other sum to score."
    )


class RecommendationListSerializer(serializers.Serializer):
    """A list for the caller."""

    request_id = serializers.CharField(help_text="Send it back with feedback on these films.")
    source = serializers.CharField()  # type: ignore[assignment]
    model_version = serializers.CharField(allow_blank=True)
    fallback = serializers.CharField(
        allow_blank=True, help_text="What filled places that the source could not; else empty."
    )
    is_stored = serializers.BooleanField(help_text="From the last batch inference, or just made.")
    results = RecommendedFilmSerializer(many=True)


def poster_url(movie: Movie) -> str:
    """The poster's address; it changes when the picture does, so it may be cached for ever."""
    return f"{_poster_path(movie.pk)}?v={movie.poster_version}"


@lru_cache(maxsize=10_000)
def _poster_path(movie_id: int) -> str:
    return reverse("catalog:poster", args=[movie_id])


def recommendation_list(ranked: RankedList, *, request_id: str = "") -> dict[str, Any]:
    """What RecommendationListSerializer describes; also what ``manage.py recommend`` writes."""
    films = {film.movie_id: film for film in ranked.films}
    titles = titles_of(ranked.films)
    results = []
    for card in cards_for(ranked.films, titles=titles):
        film = films[card.movie.pk].shortened(MAX_EVIDENCE)
        results.append(
            {
                "movie_id": film.movie_id,
                "title": card.movie.title,
                "year": card.movie.year,
                "genres": card.movie.genre_names,
                "poster_url": poster_url(card.movie),
                "source": film.source,
                "score": film.score,
                "baseline": film.baseline,
                "reason": "".join(part.text for part in card.reason),
                "evidence": [
                    {
                        "movie_id": part.movie_id,
                        "title": titles.get(part.movie_id, ""),
                        "share": part.share,
                        "contribution": part.contribution,
                    }
                    for part in film.evidence
                ],
                "terms": [
                    {"name": part.name, "contribution": part.contribution} for part in film.terms
                ],
                "features": [
                    {"name": part.name, "value": part.value, "contribution": part.contribution}
                    for part in film.features
                ],
                "other": film.other,
            }
        )
    return {
        "request_id": request_id,
        "source": ranked.source,
        "model_version": ranked.model_version,
        "fallback": ranked.fallback,
        "is_stored": ranked.is_stored,
        "results": results,
    }
