"""``/api/v1/swipe``: the next cards of the deck, and a note of those that were turned up."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.models import User
from accounts.requests import person_of
from recommendations.swipe import Deal, deal
from recommendations.swipe_cards import SwipeCard, swipe_cards
from recommendations.swipe_serializers import DealBodySerializer, DealSerializer
from recommendations.swipe_slates import receipt_for, shown_log
from recommendations.wishes import Wish


class SwipeApi(Api):
    """The deck. Open to all: who is nobody yet gets what people here watch."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="swipe_deal",
        tags=["recommendations"],
        summary="Deal the next cards of the swipe deck",
        request=DealBodySerializer,
        responses=DealSerializer,
    )
    def post(self, request: Request) -> Response:
        """The cards know all feedback up to this second; films in ``held`` are not among them."""
        body = DealBodySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        person = person_of(request)
        noted = sum(
            shown_log(shown["receipt"], shown["positions"], user=person)
            for shown in data.get("shown", [])
        )
        dealt = deal(person, _wish(data), n=data["n"], held=data["held"], first=data["first"])
        answer = dealt_body(dealt, user=person)
        return Response(DealSerializer({**answer, "noted": noted}).data)


def dealt_body(
    dealt: Deal, *, user: User | AnonymousUser, cards: tuple[SwipeCard, ...] | None = None
) -> dict[str, Any]:
    """What DealSerializer describes but for ``noted``; also what the page starts from.

    ``cards`` where the page made them already.
    """
    request_id = uuid.UUID(cards[0].card.request_id) if cards else uuid.uuid4()
    if cards is None:
        cards = swipe_cards(dealt.ranked, request_id=str(request_id))
    return {
        "request_id": str(request_id),
        "receipt": receipt_for(dealt.ranked, user=user, request_id=request_id),
        "source": dealt.ranked.source,
        "model_version": dealt.ranked.model_version,
        "fallback": dealt.ranked.fallback,
        "chips": [asdict(chip) for chip in dealt.chips],
        "cards": [card.as_dict() for card in cards],
    }


def _wish(data: dict[str, Any]) -> Wish:
    query = QueryDict(mutable=True)
    for name in ("mood", "q"):
        if data.get(name):
            query[name] = data[name]
    query.setlist("chip", data.get("chip", []))
    if data.get("understood"):
        query["understood"] = "1"
    return Wish.from_query(query)
