"""Films and searches as the API speaks of them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.card_films import poster_url
from catalog.conditions import chip_label, liked_titles
from catalog.hybrid import Answer
from catalog.shelf import films_for_cards
from catalog.tmdb_ids import tmdb_ids


class ChipSerializer(serializers.Serializer):
    """A condition that was read, or given."""

    kind = serializers.CharField()
    value = serializers.CharField(help_text="For like: the film's title.")
    is_negated = serializers.BooleanField()
    is_hard = serializers.BooleanField(help_text="Whether every result meets it.")
    # A field named label hides no attribute: the metaclass takes declared fields off the class.
    label = serializers.CharField()  # type: ignore[assignment]
    parameter = serializers.CharField(help_text="Send it back as chip= to keep the condition.")


class FoundFilmSerializer(serializers.Serializer):
    """A film found, and what speaks for it."""

    movie_id = serializers.IntegerField()
    tmdb_id = serializers.IntegerField(allow_null=True)
    title = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    poster_url = serializers.CharField()
    n_ratings = serializers.IntegerField()
    mean_rating = serializers.FloatField(allow_null=True)
    score = serializers.FloatField()
    similarity = serializers.FloatField(
        allow_null=True,
        help_text="Cosine of the request's and the film's text; null: not by meaning.",
    )
    why = serializers.ListField(child=serializers.CharField())


class SearchAnswerSerializer(serializers.Serializer):
    """What was understood, and what was found."""

    query = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True, help_text="What no condition took.")
    chips = ChipSerializer(many=True)
    is_meaning_used = serializers.BooleanField(
        help_text="False while the encoder is loading, or where there are no vectors."
    )
    n_found = serializers.IntegerField()
    results = FoundFilmSerializer(many=True)


def search_body(query: str, answer: Answer, *, limit: int) -> dict[str, Any]:
    """What SearchAnswerSerializer describes of the first ``limit`` films; three queries at most."""
    shown = answer.found[:limit]
    ids = [film.movie_id for film in shown]
    movies = films_for_cards(ids)
    tmdb = tmdb_ids(ids)
    titles = liked_titles(answer.reading.chips)
    return {
        "query": query,
        "text": answer.reading.text,
        "chips": [
            {
                "kind": chip.kind.value,
                "value": titles.get(chip.value, chip.value) if chip.kind == "like" else chip.value,
                "is_negated": chip.is_negated,
                "is_hard": chip.is_hard,
                "label": chip_label(chip, titles=titles),
                "parameter": chip.encoded(),
            }
            for chip in answer.reading.chips
        ],
        "is_meaning_used": not answer.is_meaning_missing,
        "n_found": len(answer.found),
        "results": [
            {
                "movie_id": film.movie_id,
                "tmdb_id": tmdb.get(film.movie_id),
                "title": movies[film.movie_id].title,
                "year": movies[film.movie_id].year,
                "poster_url": poster_url(movies[film.movie_id]),
                "n_ratings": movies[film.movie_id].rating_count,
                "mean_rating": movies[film.movie_id].rating_mean,
                "score": film.score,
                "similarity": film.similarity,
                "why": list(film.why),
            }
            for film in shown
            if film.movie_id in movies
        ],
    }
