"""The debug view as page and API: one's own list, or for staff anybody's."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api, acts_as_staff
from accounts.api.inputs import Query
from accounts.models import User
from accounts.requests import signed_in
from recommendations.debug import Debug, debug_of
from recommendations.pipeline import DEFAULT_SOURCE, UnknownSourceError
from recommendations.serializers import FeatureSerializer

SHOWN_PARTS = 8  # of a score, in the view


class CandidateSerializer(serializers.Serializer):
    """A film that a source proposed."""

    movie_id = serializers.IntegerField()
    title = serializers.CharField()
    score = serializers.FloatField()
    filtered = serializers.ListField(
        child=serializers.CharField(), help_text="Why no list shows it; empty if one may."
    )


class SourceDebugSerializer(serializers.Serializer):
    """One source, before filtering."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    weight = serializers.FloatField(allow_null=True, help_text="In the blend.")
    n_scored = serializers.IntegerField()
    n_filtered = serializers.IntegerField()
    n_in_pool = serializers.IntegerField(
        help_text="Of the films it proposed, how many were ranked."
    )
    took_ms = serializers.FloatField(allow_null=True)
    skipped = serializers.CharField(allow_blank=True, help_text="Why it was not asked, if so.")
    candidates = CandidateSerializer(many=True)


class SourcePartSerializer(serializers.Serializer):
    """What one source of a blend adds to the score."""

    source = serializers.CharField()  # type: ignore[assignment]
    contribution = serializers.FloatField()


class ReasonSerializer(serializers.Serializer):
    """A film of the history and what it adds to the score."""

    title = serializers.CharField()
    contribution = serializers.FloatField()


class RankedFilmDebugSerializer(serializers.Serializer):
    """A film of the list as served."""

    movie_id = serializers.IntegerField()
    title = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    score = serializers.FloatField(allow_null=True)
    by_source = SourcePartSerializer(many=True)
    features = FeatureSerializer(many=True)
    evidence = ReasonSerializer(many=True)


class DebugQuery(Query):
    """Whose list, and of which source."""

    source = serializers.CharField(  # type: ignore[assignment]
        max_length=24, default=DEFAULT_SOURCE, help_text="hybrid, or any source by name."
    )
    user = serializers.CharField(
        max_length=254,
        default="",
        allow_blank=True,
        help_text="Staff only: somebody's e-mail address.",
    )


class DebugSerializer(serializers.Serializer):
    """How a list came about."""

    source = serializers.CharField()  # type: ignore[assignment]
    model_version = serializers.CharField(allow_blank=True)
    generation = serializers.IntegerField()
    n_history = serializers.IntegerField()
    n_muted = serializers.IntegerField()
    is_stored = serializers.BooleanField()
    fallback = serializers.CharField(allow_blank=True)
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="Films scored, filtered by kind, and ranked."
    )
    user_features = serializers.DictField(child=serializers.FloatField())
    sources = SourceDebugSerializer(many=True)
    results = RankedFilmDebugSerializer(many=True)
    stages_ms = serializers.DictField(child=serializers.FloatField())


def _whose(asking: User, email: str, *, is_staff: bool) -> User:
    """The person whose list is looked at: oneself, or for staff whoever has the address.

    Raises PermissionDenied before looking anybody up, so that nobody learns who has an account.
    """
    if not email or email.lower() == (asking.email or "").lower():
        return asking
    if not is_staff:
        raise PermissionDenied
    found = User.objects.filter(email__iexact=email).first()
    if found is None:
        raise Http404("Nobody is registered with this address.")
    return found


class DebugApi(Api):
    """The caller's list, opened up."""

    @extend_schema(
        operation_id="recommendations_debug",
        tags=["recommendations"],
        summary="Candidates per source, scores, what was filtered and why, stage times",
        parameters=[DebugQuery],
        responses={
            200: DebugSerializer,
            403: OpenApiResponse(description="Not one's own."),
            404: OpenApiResponse(description="Nobody is registered with this address."),
        },
    )
    def get(self, request: Request) -> Response:
        """Nothing is logged as shown: it is a look behind the list, not a list."""
        query = DebugQuery.of(request)
        user = _whose(signed_in(request.user), query["user"], is_staff=acts_as_staff(request))
        try:
            found = debug_of(user, source=query["source"])
        except UnknownSourceError as error:
            raise exceptions.ValidationError({"source": [str(error)]}) from error
        return Response(DebugSerializer(_body(found)).data)


@require_GET
@login_required
@never_cache
def debug(request: HttpRequest) -> HttpResponse:
    """The same as a page."""
    asking = signed_in(request.user)
    user = _whose(asking, request.GET.get("user", ""), is_staff=asking.is_staff)
    try:
        found = debug_of(user, source=request.GET.get("source", DEFAULT_SOURCE))
    except UnknownSourceError as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
    context = {"debug": _body(found), "person": user}
    return render(request, "recommendations/debug.html", context)


def _body(found: Debug) -> dict[str, Any]:
    ranked = found.ranked
    return {
        "source": found.source,
        "model_version": found.model_version,
        "generation": found.generation,
        "n_history": found.n_history,
        "n_muted": found.n_muted,
        "is_stored": ranked.is_stored if ranked else False,
        "fallback": ranked.fallback if ranked else "",
        "counts": found.counts,
        "user_features": found.user_features,
        "sources": [asdict(source) for source in found.sources],
        "results": [
            {
                "movie_id": film.movie_id,
                "title": found.titles.get(film.movie_id, ""),
                "source": film.source,
                "score": film.score,
                "by_source": [part._asdict() for part in film.by_source],
                "features": [part._asdict() for part in film.features[:SHOWN_PARTS]],
                "evidence": [
                    {
                        "title": found.titles.get(part.movie_id, ""),
                        "contribution": part.contribution,
                    }
                    for part in film.evidence[:SHOWN_PARTS]
                ],
            }
            for film in (ranked.films if ranked else ())
        ],
        "stages_ms": found.stages_ms,
    }
