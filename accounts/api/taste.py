"""``/api/v1/me/settings``: the limits of my lists and the dials."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.inputs import Body
from accounts.choices import GENRES, language_choices
from accounts.forms import FIRST_YEAR, LAST_YEAR
from accounts.models import User
from accounts.permissions import IsPerson
from accounts.requests import person_for_feedback, person_of
from accounts.selectors import taste_of
from accounts.services import Taste, taste_settings_set


class DialField(serializers.FloatField):
    """A position in quarter steps, as the sliders of the pages have it."""

    def to_internal_value(self, data: Any) -> float:
        """Rounded to the next quarter; what no slider can show is left to the limits to refuse."""
        number = super().to_internal_value(data)
        if number != number:  # Python's nan is within all limits
            self.fail("invalid")
        return round(number * 4) / 4 if abs(number) <= 1 else number


class DialsSerializer(Body):
    """Where the dials stand; 0 everywhere is the untouched list."""

    surprise = DialField(min_value=-1, max_value=1, help_text="-1 familiar, 1 surprising.")
    diversity = DialField(min_value=0, max_value=1, help_text="0 as ranked, 1 varied.")
    era = DialField(min_value=-1, max_value=1, help_text="-1 older, 1 newer.")
    length = DialField(min_value=-1, max_value=1, help_text="-1 shorter, 1 longer.")


class SomeDialsSerializer(DialsSerializer):
    """Dials to turn; those that are left out stay where they are."""

    def get_fields(self) -> dict[str, Any]:
        """None is required."""
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class TasteSettingsSerializer(DialsSerializer):
    """What may be on my lists, and how they lean."""

    year_from = serializers.IntegerField(min_value=FIRST_YEAR, max_value=LAST_YEAR, allow_null=True)
    year_to = serializers.IntegerField(min_value=FIRST_YEAR, max_value=LAST_YEAR, allow_null=True)
    runtime_max_min = serializers.IntegerField(
        min_value=1, max_value=1000, allow_null=True, help_text="Minutes."
    )
    languages = serializers.ListField(
        child=serializers.ChoiceField(choices=[code for code, _ in language_choices()]),
        help_text="ISO 639-1; none: films in every language.",
    )
    excluded_genres = serializers.ListField(
        child=serializers.ChoiceField(choices=list(GENRES)), help_text="Left out of every list."
    )
    age_ceiling = serializers.IntegerField(
        min_value=0,
        max_value=21,
        allow_null=True,
        help_text="Films certified above this age, or not certified at all, are left out.",
    )
    muted_reasons = serializers.ListField(
        child=serializers.CharField(max_length=24),
        read_only=True,
        help_text="Kinds of reason that cards do not say; set at me/muted-reasons.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The years must leave room between them, whichever of the two is sent."""
        before: Taste = self.context["before"]
        first = attrs.get("year_from", before.year_from)
        last = attrs.get("year_to", before.year_to)
        if first and last and first > last:
            raise serializers.ValidationError({"year_to": ["Must not lie before year_from."]})
        return attrs


class TasteSettingsApi(Api):
    """The caller's settings."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="settings_retrieve",
        tags=["me"],
        summary="My settings: limits and dials",
        responses=TasteSettingsSerializer,
    )
    def get(self, request: Request) -> Response:
        """The defaults for whoever never set any."""
        person = person_of(request)
        taste = taste_of(person) if isinstance(person, User) else Taste()
        return Response(TasteSettingsSerializer(asdict(taste)).data)

    @extend_schema(
        operation_id="settings_update",
        tags=["me"],
        summary="Change my settings",
        request=TasteSettingsSerializer(partial=True),
        responses=TasteSettingsSerializer,
    )
    def patch(self, request: Request) -> Response:
        """What is not sent stays. The next list follows, stored ones are stale at once."""
        person = person_of(request)
        before = taste_of(person) if isinstance(person, User) else Taste()
        body = TasteSettingsSerializer(data=request.data, partial=True, context={"before": before})
        body.is_valid(raise_exception=True)
        sent: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in body.validated_data.items()
        }
        after = replace(before, **sent)
        taste_settings_set(person_for_feedback(request), after)
        return Response(TasteSettingsSerializer(asdict(after)).data)
