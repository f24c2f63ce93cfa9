"""The pages' lists for programs: home rows, tonight, surprise, the next film to rate, a guess."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.inputs import IdField, Query
from accounts.permissions import IsPerson
from accounts.requests import person_for_feedback, person_of
from catalog.models import Movie
from catalog.serializers import MovieSerializer
from feedback.selectors import feedback_of, quiz_answers_of
from ml.explain import Tag
from recommendations import quiz
from recommendations.home import home_page
from recommendations.predicted import MIN_KNOWN, n_known, predictions_for
from recommendations.serializers import RecommendationListSerializer, recommendation_list
from recommendations.services.muting import reason_mute
from recommendations.services.slates import slate_log
from recommendations.starting import MIN_ANSWERS, start_of
from recommendations.surprise import drawn_from_list, drawn_from_watchlist
from recommendations.tonight import tonight_for

MAX_PASSED = 300


class HomeFilmSerializer(serializers.Serializer):
    """A film of a row."""

    movie = MovieSerializer()
    reason = serializers.CharField(allow_blank=True)
    position = serializers.IntegerField(
        allow_null=True, help_text="In the slate, where the row is one."
    )


class HomeRowSerializer(serializers.Serializer):
    """A row, titled with its reason."""

    slug = serializers.CharField()
    title = serializers.CharField()
    request_id = serializers.CharField(
        allow_blank=True, help_text="Send it back with feedback; empty where no slate was logged."
    )
    films = HomeFilmSerializer(many=True)


class HomeSerializer(serializers.Serializer):
    """The front page, the same all day."""

    is_personal = serializers.BooleanField()
    rows = HomeRowSerializer(many=True)


class HomeApi(Api):
    """The front page."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="home",
        tags=["recommendations"],
        summary="The rows of the front page",
        responses=HomeSerializer,
    )
    def get(self, request: Request) -> Response:
        """For the caller, a visitor, or nobody yet. No film stands in two rows."""
        person, request_id = person_of(request), uuid.uuid4()
        page = home_page(person, request_id=str(request_id))
        if page.ranked is not None:
            slate_log(page.ranked, user=person, surface="home", request_id=request_id)
        rows = [
            {
                "slug": row.slug,
                "title": "".join(part.text for part in row.title),
                "request_id": row.cards[0].request_id if row.cards else "",
                "films": [
                    {
                        "movie": card.movie,
                        "reason": "".join(part.text for part in card.reason),
                        "position": card.position if card.request_id else None,
                    }
                    for card in row.cards
                ],
            }
            for row in page.rows
        ]
        return Response(HomeSerializer({"is_personal": page.is_personal, "rows": rows}).data)


class TonightApi(Api):
    """The list for the quiz."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="tonight",
        tags=["recommendations"],
        summary="Films for my latest answers to the quiz",
        responses={
            200: RecommendationListSerializer,
            404: OpenApiResponse(description="The quiz was never answered."),
        },
    )
    def get(self, request: Request) -> Response:
        """404 where the caller never answered it: send ``quiz`` first."""
        person = person_of(request)
        stored = quiz_answers_of(person)
        form = quiz.QuizForm(stored) if stored else None
        if form is None or not form.is_valid():
            raise exceptions.NotFound("Answer the quiz first.")
        ranked = tonight_for(person, form.answers(), n=quiz.TONIGHT_FILMS, asked=form.to_store())
        request_id = uuid.uuid4()
        slate_log(ranked, user=person, surface="tonight", request_id=request_id)
        return Response(recommendation_list(ranked, request_id=str(request_id)))


class SurpriseQuery(Query):
    """Where to draw from."""

    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=["list", "watchlist"], default="list", help_text="watchlist: my saved films."
    )


class SurpriseSerializer(serializers.Serializer):
    """One film, drawn at random."""

    movie = MovieSerializer()
    request_id = serializers.CharField(allow_blank=True)
    propensity = serializers.FloatField(help_text="The chance that it was this film.")


class SurpriseApi(Api):
    """Surprise me."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="surprise",
        tags=["recommendations"],
        summary="One film that I may well like, drawn at random",
        parameters=[SurpriseQuery],
        responses={
            200: SurpriseSerializer,
            404: OpenApiResponse(description="There is no film left to draw."),
        },
    )
    def get(self, request: Request) -> Response:
        """404 where there is none left to draw."""
        is_saved = SurpriseQuery.of(request)["source"] == "watchlist"
        draw = drawn_from_watchlist if is_saved else drawn_from_list
        drawn = draw(person_of(request))
        if drawn is None:
            raise exceptions.NotFound("There is no film left to draw.")
        movie = Movie.objects.visible().for_cards().get(pk=drawn.film.movie_id)
        body = {
            "movie": movie,
            "request_id": str(drawn.request_id or ""),
            "propensity": drawn.film.propensity,
        }
        return Response(SurpriseSerializer(body).data)


class NextFilmQuery(Query):
    """What not to ask about."""

    passed = serializers.ListField(
        child=IdField(),
        required=False,
        max_length=MAX_PASSED,
        help_text="Films that the caller skipped or does not know. Repeat the parameter.",
    )


class NextFilmSerializer(serializers.Serializer):
    """What to ask about, and how settled the caller's list is."""

    movie = MovieSerializer(allow_null=True, help_text="Null: nothing is left to ask.")
    n_answers = serializers.IntegerField()
    n_needed = serializers.IntegerField(help_text="Before that nobody is done.")
    settled = serializers.FloatField(
        allow_null=True, help_text="Share of the first films that the last answer left in place."
    )
    is_done = serializers.BooleanField(help_text="The list is settled, or enough was asked.")
    list_so_far = RecommendationListSerializer()


class NextFilmApi(Api):
    """Rate a few."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="next_film",
        tags=["recommendations"],
        summary="The film whose rating would change my list most",
        parameters=[NextFilmQuery],
        responses=NextFilmSerializer,
    )
    def get(self, request: Request) -> Response:
        """Rate it at ``me/ratings``, or send it in ``passed`` and ask again, until ``is_done``."""
        query, person = NextFilmQuery.of(request), person_of(request)
        start = start_of(person, passed=query.get("passed", ()))
        request_id = uuid.uuid4()
        if start.ranked.n_history:
            slate_log(start.ranked, user=person, surface="start", request_id=request_id)
        body: dict[str, Any] = {
            "movie": MovieSerializer(start.movie).data if start.movie else None,
            "n_answers": start.n_answers,
            "n_needed": MIN_ANSWERS,
            "settled": start.settled,
            "is_done": start.is_done,
            "list_so_far": recommendation_list(start.ranked, request_id=str(request_id)),
        }
        return Response(body)


class PredictionSerializer(serializers.Serializer):
    """The stars that the caller would give; null while we know them too little to say."""

    movie_id = serializers.IntegerField()
    stars = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True, help_text="Four times of five, at least this.")
    high = serializers.FloatField(allow_null=True, help_text="And at most this.")
    n_missing = serializers.IntegerField(help_text="Ratings of mine that it takes to say.")


class PredictionApi(Api):
    """A guess."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="predictions_retrieve",
        tags=["recommendations"],
        summary="The stars that I would give a film, with an interval",
        responses=PredictionSerializer,
    )
    def get(self, request: Request, movie_id: int) -> Response:
        """Never a reason to rank: what people rate highly is not what they watch next."""
        movie = get_object_or_404(Movie.objects.visible().only("pk"), pk=movie_id)
        person = feedback_of(person_of(request))
        guess = predictions_for(person, [movie.pk]).get(movie.pk)
        said = asdict(guess) if guess else {"stars": None, "low": None, "high": None}
        n_missing = max(0, MIN_KNOWN - n_known(person))
        body = {"movie_id": movie.pk, "n_missing": n_missing, **said}
        return Response(PredictionSerializer(body).data)


class MutedReasonsSerializer(serializers.Serializer):
    """Kinds of reason that the caller's cards do not say."""

    muted_reasons = serializers.ListField(
        child=serializers.ChoiceField(choices=[tag.value for tag in Tag])
    )


_REASON = OpenApiParameter(
    "reason", str, OpenApiParameter.PATH, enum=[tag.value for tag in Tag], description="Its kind."
)


class MutedReasonApi(Api):
    """One kind of reason."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="reasons_mute",
        tags=["me"],
        summary="Take a kind of reason off my cards",
        parameters=[_REASON],
        request=None,
        responses=MutedReasonsSerializer,
    )
    def put(self, request: Request, reason: str) -> Response:
        """The lists stay as they are; only what cards say of them changes."""
        return self._set(request, reason, is_muted=True)

    @extend_schema(
        operation_id="reasons_unmute",
        tags=["me"],
        summary="Let my cards say a kind of reason again",
        parameters=[_REASON],
        responses={200: MutedReasonsSerializer},
    )
    def delete(self, request: Request, reason: str) -> Response:
        """Also where it was not muted."""
        return self._set(request, reason, is_muted=False)

    def _set(self, request: Request, reason: str, *, is_muted: bool) -> Response:
        if reason not in set(Tag):
            raise Http404
        user = person_for_feedback(request)
        muted = reason_mute(user=user, reason=Tag(reason), is_muted=is_muted)
        return Response({"muted_reasons": list(muted)})
