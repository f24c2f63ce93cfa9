"""Recommendations as the API speaks of them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.card_films import poster_url
from catalog.shelf import audience_is_simulated, films_for_cards
from recommendations.cards import titles_of
from recommendations.ranked import RankedList
from recommendations.reasons import reason_for

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


def recommendation_list(ranked: RankedList, *, request_id: str = "") -> dict[str, Any]:
    """What RecommendationListSerializer describes; also what ``manage.py recommend`` writes."""
    movies = films_for_cards([film.movie_id for film in ranked.films])
    titles = titles_of(ranked.films)
    is_simulated = audience_is_simulated()
    results = []
    for film in (found.shortened(MAX_EVIDENCE) for found in ranked.films):
        movie = movies.get(film.movie_id)
        if movie is None:
            continue  # hidden meanwhile
        reason = reason_for(film, movie, titles, is_simulated=is_simulated)
        results.append(
            {
                "movie_id": film.movie_id,
                "title": movie.title,
                "year": movie.year,
                "genres": movie.genre_names,
                "poster_url": poster_url(movie),
                "source": film.source,
                "score": film.score,
                "baseline": film.baseline,
                "reason": "".join(part.text for part in reason),
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
