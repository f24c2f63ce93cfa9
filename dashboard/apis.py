"""``/api/v1/me/taste``: the numbers of the page, for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.permissions import IsPerson
from accounts.requests import person_of, signed_in
from catalog.serializers import MovieSerializer
from dashboard.charts import BarChart, LineChart
from dashboard.judged import Judged, Label, judged_for, label_of
from dashboard.taste import MIN_FILMS, Taste, taste_of_person


class ShareSerializer(serializers.Serializer):
    """A share of my liked films, next to that of all films."""

    name = serializers.CharField()
    mine = serializers.FloatField(help_text="0 to 1.")
    all_films = serializers.FloatField(help_text="0 to 1.")


class ProfileSerializer(serializers.Serializer):
    """Genres, decades or countries."""

    name = serializers.CharField()
    shares = ShareSerializer(many=True)


class TrendSerializer(serializers.Serializer):
    """A genre's share among my liked films, one number per period."""

    name = serializers.CharField()
    shares = serializers.ListField(child=serializers.FloatField())


class OverTimeSerializer(serializers.Serializer):
    """Favourite genres over time."""

    periods = serializers.ListField(child=serializers.CharField(), help_text="2024-05 or 2024.")
    genres = TrendSerializer(many=True)


class StrandSerializer(serializers.Serializer):
    """One strand of my taste."""

    genres = serializers.ListField(child=serializers.CharField())
    n_films = serializers.IntegerField()
    films = MovieSerializer(many=True)


class ShiftSerializer(serializers.Serializer):
    """A genre's share of my latest films against those before, in per cents."""

    genre = serializers.CharField()
    before = serializers.IntegerField()
    now = serializers.IntegerField()


class JudgedSerializer(serializers.Serializer):
    """How far lists were right: of ratings given after a film was shown, and of the others."""

    n_shown = serializers.IntegerField()
    n_rated = serializers.IntegerField()
    n_liked = serializers.IntegerField()
    liked_percent = serializers.IntegerField(allow_null=True)
    mean_stars = serializers.FloatField(allow_null=True)
    n_others = serializers.IntegerField()
    mean_others = serializers.FloatField(allow_null=True)


class LabelRowSerializer(serializers.Serializer):
    """One line of the label, in per cents."""

    name = serializers.CharField()
    listed = serializers.IntegerField()
    liked = serializers.IntegerField()


class LabelPartSerializer(serializers.Serializer):
    """Genres, decades, or how well known."""

    name = serializers.CharField()
    rows = LabelRowSerializer(many=True)


class LabelSerializer(serializers.Serializer):
    """What my list holds, next to what I like."""

    n_films = serializers.IntegerField()
    gap = serializers.FloatField(allow_null=True, help_text="0: the same genre mix.")
    parts = LabelPartSerializer(many=True)


class TasteSerializer(serializers.Serializer):
    """What my films say. With fewer than ``n_needed`` films only the counts are filled."""

    n_films = serializers.IntegerField()
    n_liked = serializers.IntegerField()
    n_needed = serializers.IntegerField()
    mean_stars = serializers.FloatField(allow_null=True)
    liked = MovieSerializer(many=True)
    profiles = ProfileSerializer(many=True)
    over_time = OverTimeSerializer(allow_null=True)
    strands = StrandSerializer(many=True)
    recent = ShiftSerializer(many=True)
    judged = JudgedSerializer(allow_null=True)
    label = LabelSerializer(allow_null=True)  # type: ignore[assignment]


class TasteApi(Api):
    """My taste."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="taste_retrieve",
        tags=["me"],
        summary="What my films say of my taste, and how far my lists were right",
        responses=TasteSerializer,
    )
    def get(self, request: Request) -> Response:
        """Counted from the caller's own films; nothing is guessed."""
        person = signed_in(person_of(request))
        taste = taste_of_person(person)
        judged, label = None, None
        if not taste.is_empty:
            judged, label = judged_for(person), label_of(person, taste)
        return Response(TasteSerializer(_body(taste, judged, label)).data)


def _body(taste: Taste, judged: Judged | None, label: Label | None) -> dict[str, Any]:
    return {
        "n_films": taste.n_films,
        "n_liked": taste.n_liked,
        "n_needed": MIN_FILMS,
        "mean_stars": taste.mean_stars,
        "liked": [card.movie for card in taste.liked],
        "profiles": [_profile(chart) for chart in taste.profiles],
        "over_time": _over_time(taste.over_time) if taste.over_time else None,
        "strands": [
            {
                "genres": group.names,
                "n_films": group.n_films,
                "films": [card.movie for card in group.cards],
            }
            for group in taste.groups
        ],
        "recent": [asdict(shift) for shift in taste.recent],
        "judged": asdict(judged) | {"liked_percent": judged.liked_percent} if judged else None,
        "label": _label(label) if label else None,
    }


def _profile(chart: BarChart) -> dict[str, Any]:
    bars = [{"name": bar.label, "mine": bar.mine, "all_films": bar.theirs} for bar in chart.bars]
    return {"name": chart.slug, "shares": bars}


def _over_time(chart: LineChart) -> dict[str, Any]:
    genres = [{"name": line.label, "shares": line.shares} for line in chart.lines]
    return {"periods": chart.periods, "genres": genres}


def _label(label: Label) -> dict[str, Any]:
    parts = [
        {"name": str(name), "rows": [asdict(row) for row in rows]} for name, rows in label.parts
    ]
    return {"n_films": label.n_films, "gap": label.gap, "parts": parts}
