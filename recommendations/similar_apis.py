"""``/api/v1/movies/ID/similar`` and ``/api/v1/title-or-prompt``: films like a film or a wish."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.inputs import Query
from accounts.requests import person_of
from catalog.card_films import poster_url
from catalog.hybrid import search
from catalog.models import Movie
from catalog.reading import MAX_TEXT
from catalog.tmdb_ids import tmdb_ids
from recommendations.similar import BEHAVIOUR, MAKERS, MEANING, similar_films

KINDS = (BEHAVIOUR, MEANING, MAKERS)


class SimilarFilmSerializer(serializers.Serializer):
    """A film like another, or like a wish."""

    movie_id = serializers.IntegerField()
    tmdb_id = serializers.IntegerField(allow_null=True)
    title = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    genres = serializers.ListField(child=serializers.CharField())
    poster_url = serializers.CharField()
    n_ratings = serializers.IntegerField()
    mean_rating = serializers.FloatField(allow_null=True)
    similarity = serializers.FloatField(help_text="Comparable within one list only.")
    shared_people = serializers.ListField(child=serializers.CharField())


class SimilarFilmsSerializer(serializers.Serializer):
    """Three kinds of likeness, each best first."""

    movie_id = serializers.IntegerField()
    behaviour = SimilarFilmSerializer(many=True, help_text="Liked by the same people.")
    meaning = SimilarFilmSerializer(many=True, help_text="About the same things.")
    makers = SimilarFilmSerializer(many=True, help_text="By the same people.")


class TitleOrPromptSerializer(serializers.Serializer):
    """Films like the one whose title was sent; else films that fit the words."""

    input_text = serializers.CharField()
    mode = serializers.ChoiceField(choices=["title", "prompt"])
    matched_movie_id = serializers.IntegerField(allow_null=True)
    matched_title = serializers.CharField(allow_blank=True)
    method = serializers.ChoiceField(
        choices=[BEHAVIOUR, MEANING, "search"], help_text="meaning where too few rated the film."
    )
    results = SimilarFilmSerializer(many=True)


class SimilarQuery(Query):
    """How many films, and how known."""

    n = serializers.IntegerField(
        min_value=1, max_value=50, default=12, help_text="Films of each kind."
    )
    min_ratings = serializers.IntegerField(
        min_value=0,
        required=False,
        help_text="Films that so many people rated stand first, by meaning and makers, with one "
        "place in four for the others; 0: closeness alone decides. Else by how known the film "
        "itself is.",
    )


class PromptQuery(Query):
    """A title or a wish."""

    input_text = serializers.CharField(max_length=MAX_TEXT)
    n = serializers.IntegerField(min_value=1, max_value=50, default=12, help_text="How many films.")


class SimilarApi(Api):
    """Films like a film."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="films_similar",
        tags=["films"],
        summary="Films like a film, in three kinds: behaviour, meaning, makers",
        parameters=[SimilarQuery],
        responses=SimilarFilmsSerializer,
    )
    def get(self, request: Request, movie_id: int) -> Response:
        """404 for a film that is not there or hidden."""
        query = SimilarQuery.of(request)
        movie = get_object_or_404(Movie.objects.visible().prefetch_related("credits"), pk=movie_id)
        rows = similar_films(
            movie,
            person_of(request),
            n=query["n"],
            min_ratings=query.get("min_ratings"),
        )
        found = {
            kind: [(film.movie_id, film.score, film.shared) for film in films]
            for kind, films in rows.items()
        }
        bodies = _bodies([entry for entries in found.values() for entry in entries])
        body: dict[str, Any] = {"movie_id": movie.pk}
        for kind in KINDS:
            # The same film may stand in two lists with two scores.
            body[kind] = [
                {**bodies[pk], "similarity": score, "shared_people": list(shared)}
                for pk, score, shared in found[kind]
                if pk in bodies
            ]
        return Response(SimilarFilmsSerializer(body).data)


class TitleOrPromptApi(Api):
    """One field for a title or a wish."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="title_or_prompt",
        tags=["films"],
        summary="An exact title: films like it. Anything else: films that fit the words",
        parameters=[PromptQuery],
        responses=TitleOrPromptSerializer,
    )
    def get(self, request: Request) -> Response:
        """The film itself is never among the films like it."""
        query = PromptQuery.of(request)
        text, n = query["input_text"], query["n"]
        answer = search(text)
        method = "search"
        entries: list[tuple[int, float, tuple[str, ...]]] = []
        if answer.exact is not None:
            movie = Movie.objects.prefetch_related("credits").get(pk=answer.exact.movie_id)
            rows = similar_films(movie, person_of(request), n=n)
            method = BEHAVIOUR if rows.behaviour else MEANING
            films = rows.behaviour or rows.meaning
            entries = [(film.movie_id, film.score, ()) for film in films]
        else:
            entries = [
                (film.movie_id, film.score if film.similarity is None else film.similarity, ())
                for film in answer.found[:n]
            ]
        bodies = _bodies(entries)
        matched = answer.exact.movie_id if answer.exact else None
        body = {
            "input_text": text,
            "mode": "title" if answer.exact else "prompt",
            "matched_movie_id": matched,
            "matched_title": Movie.objects.get(pk=matched).title if matched else "",
            "method": method,
            "results": [bodies[pk] for pk, *_ in entries if pk in bodies],
        }
        return Response(TitleOrPromptSerializer(body).data)


def _bodies(entries: list[tuple[int, float, tuple[str, ...]]]) -> dict[int, dict[str, Any]]:
    ids = list(dict.fromkeys(pk for pk, *_ in entries))
    scores = {pk: (score, shared) for pk, score, shared in entries}
    tmdb = tmdb_ids(ids)
    return {
        movie.pk: {
            "movie_id": movie.pk,
            "tmdb_id": tmdb.get(movie.pk),
            "title": movie.title,
            "year": movie.year,
            "genres": movie.genre_names,
            "poster_url": poster_url(movie),
            "n_ratings": movie.rating_count,
            "mean_rating": movie.rating_mean,
            "similarity": scores[movie.pk][0],
            "shared_people": list(scores[movie.pk][1]),
        }
        for movie in Movie.objects.in_order(ids)
    }
