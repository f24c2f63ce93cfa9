"""``/api/v1/feedback``: one event or many, each recorded once and judged for itself."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.inputs import Body, IdField
from accounts.permissions import IsPerson
from accounts.requests import person_for_feedback
from feedback.batch import (
    MAX_EVENTS,
    FeedbackItem,
    Outcome,
    Status,
    Verb,
    feedback_apply,
)
from feedback.events import EventContext
from feedback.serializers import StarsField


class FeedbackEventSerializer(Body):
    """Something that somebody did with a film."""

    event_id = serializers.UUIDField(
        help_text="Made by the client: the same one sent twice counts once."
    )
    movie_id = IdField()
    verb = serializers.ChoiceField(choices=[verb.value for verb in Verb])
    on = serializers.BooleanField(default=True, help_text="false takes the verb back.")
    stars = StarsField(
        required=False,
        allow_null=True,
        help_text="For rate: 0.5 to 5, in halves; none takes the stars back.",
    )
    surface = serializers.CharField(required=False, allow_blank=True, max_length=24)
    request_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="Of the list that showed the film."
    )
    position = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=1000
    )


class FeedbackBatchSerializer(serializers.Serializer):
    """Events in the order in which they happened."""

    events = serializers.ListField(
        child=FeedbackEventSerializer(),
        min_length=1,
        max_length=MAX_EVENTS,
        help_text=f"1 to {MAX_EVENTS}.",
    )


class OutcomeSerializer(serializers.Serializer):
    """What became of one event."""

    event_id = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(choices=[status.value for status in Status])
    code = serializers.CharField(
        allow_blank=True, help_text="invalid, not_found or conflict for a refused one."
    )
    message = serializers.CharField(allow_blank=True)
    previous = serializers.CharField(
        allow_blank=True, help_text="What the event replaced: stars, or the opposite verb."
    )


class FeedbackAnswerSerializer(serializers.Serializer):
    """One result per event, in their order, and how many of each kind."""

    results = OutcomeSerializer(many=True)
    recorded = serializers.IntegerField()
    repeated = serializers.IntegerField()
    refused = serializers.IntegerField()


class FeedbackApi(Api):
    """The caller's feedback, in batches. A visitor begins with the first of them."""

    permission_classes = (IsPerson,)

    @extend_schema(
        operation_id="feedback_send",
        tags=["feedback"],
        summary="Record what I did with films, up to 200 events at once",
        request=FeedbackBatchSerializer,
        responses=FeedbackAnswerSerializer,
    )
    def post(self, request: Request) -> Response:
        """200 also where events were refused: every result says what became of its event."""
        parsed = [_parsed(raw) for raw in _raw_events(request.data)]
        items = [item for item in parsed if isinstance(item, FeedbackItem)]
        # Nobody becomes a visitor by a batch in which nothing makes sense.
        applied = iter(
            feedback_apply(user=person_for_feedback(request), items=items) if items else []
        )
        outcomes = [item if isinstance(item, Outcome) else next(applied) for item in parsed]
        counts = {
            status.value: sum(outcome.status is status for outcome in outcomes) for status in Status
        }
        body = {"results": [asdict(outcome) for outcome in outcomes], **counts}
        return Response(FeedbackAnswerSerializer(body).data)


def _raw_events(data: Any) -> list[Any]:
    events = data.get("events") if isinstance(data, dict) else None
    if not isinstance(events, list) or not 1 <= len(events) <= MAX_EVENTS:
        raise exceptions.ValidationError({"events": [f"A list of 1 to {MAX_EVENTS} events."]})
    return events


def _parsed(raw: Any) -> FeedbackItem | Outcome:
    """The event, or why it is none."""
    form = FeedbackEventSerializer(data=raw)
    if not form.is_valid():
        said = " ".join(
            f"{name}: {' '.join(map(str, errors))}" for name, errors in form.errors.items()
        )
        return Outcome(_event_id_of(raw), Status.REFUSED, "invalid", said)
    data = form.validated_data
    return FeedbackItem(
        movie_id=data["movie_id"],
        verb=Verb(data["verb"]),
        is_on=data["on"],
        stars=data.get("stars"),
        event=EventContext(
            event_id=data["event_id"],
            surface=data.get("surface") or "api",
            request_id=data.get("request_id"),
            position=data.get("position"),
        ),
    )


def _event_id_of(raw: Any) -> uuid.UUID | None:
    """So that the client finds its event again, where there is an id to find it by."""
    try:
        return uuid.UUID(str(raw.get("event_id"))) if isinstance(raw, dict) else None
    except ValueError:
        return None
