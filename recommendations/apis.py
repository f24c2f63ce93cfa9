"""``/api/v1/me/recommendations``: the caller's list. Nobody can ask for another user's.

``/api/v1/quiz``: a list for five answers, without an account too.
"""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.inputs import Body, Query
from accounts.models import User
from accounts.permissions import IsPerson
from accounts.requests import person_of
from feedback.services import quiz_answered
from recommendations import quiz
from recommendations.pipeline import DEFAULT_SOURCE, UnknownSourceError
from recommendations.selectors import MAX_FILMS, recommendations_for
from recommendations.serializers import (
    MAX_EVIDENCE,
    RecommendationListSerializer,
    recommendation_list,
)
from recommendations.services.slates import slate_log
from recommendations.tonight import tonight_for


class RecommendationQuery(Query):
    """What may be asked for."""

    n = serializers.IntegerField(
        min_value=1, max_value=MAX_FILMS, default=20, help_text="How many films."
    )
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=24, default=DEFAULT_SOURCE, help_text="hybrid, or any source by name."
    )


class RecommendationsApi(Api):
    """The caller's recommendations."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="recommendations_for_me",
        tags=["recommendations"],
        summary="Films for me, each with its reason",
        parameters=[RecommendationQuery],
        responses=RecommendationListSerializer,
    )
    def get(self, request: Request) -> Response:
        """The list knows the caller's feedback up to this very second."""
        query = RecommendationQuery.of(request)
        person, request_id = person_of(request), uuid.uuid4()
        try:
            ranked = recommendations_for(
                person, **query, max_parts=MAX_EVIDENCE, request_id=request_id
            )
        except UnknownSourceError as error:
            raise exceptions.ValidationError({"source": [str(error)]}) from error
        slate_log(ranked, user=person, surface="api", request_id=request_id)
        # As RecommendationListSerializer describes it already: passing each of some 400 values
        # through a field of it took as long as finding the films.
        return Response(recommendation_list(ranked, request_id=str(request_id)))


class QuizBody(Body):
    """The five answers."""

    mood = serializers.ChoiceField(choices=quiz.MOODS)
    content_type = serializers.ChoiceField(choices=quiz.CONTENT_TYPES, default="any")
    time = serializers.ChoiceField(choices=quiz.TIMES, default="any")
    genres = serializers.ListField(
        child=serializers.CharField(max_length=40),
        default=list,
        max_length=40,
        help_text="Genre slugs; none means that all are welcome.",
    )
    intensity = serializers.ChoiceField(choices=quiz.INTENSITIES, default="medium")
    n = serializers.IntegerField(min_value=1, max_value=MAX_FILMS, default=20)


class QuizApi(Api):
    """Films for the quiz's answers."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="quiz_answer",
        tags=["recommendations"],
        summary="Films for five answers, each with its reason",
        request=QuizBody,
        responses=RecommendationListSerializer,
    )
    def post(self, request: Request) -> Response:
        """The answers are kept for a caller with an account or a session with feedback."""
        body = QuizBody(data=request.data)
        body.is_valid(raise_exception=True)
        form = quiz.QuizForm(body.validated_data)
        if not form.is_valid():
            said = {name: [str(e) for e in errors] for name, errors in form.errors.items()}
            raise exceptions.ValidationError(said)
        asked = form.to_store()
        person = person_of(request)
        if isinstance(person, User):
            quiz_answered(user=person, answers=asked)
        n = body.validated_data["n"]
        ranked = tonight_for(person, form.answers(), n=n, asked=asked)
        request_id = uuid.uuid4()
        slate_log(ranked, user=person, surface="api", request_id=request_id)
        return Response(recommendation_list(ranked, request_id=str(request_id)))
