"""The staff page about TMDB: how far the run is, what is left and why, and the button."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog.images import images_wanted
from catalog.models import Movie
from catalog.services.embeddings import embedding_state
from catalog.tmdb.jobs import IMAGES_PER_SLICE, images_publish
from catalog.tmdb.models import EnrichmentRun, EnrichmentState
from catalog.tmdb.retention import REFRESH_AFTER
from catalog.tmdb.runs import run_request

RUNS_SHOWN = 10


@never_cache
@staff_member_required
@require_http_methods(["GET", "HEAD", "POST"])
def enrichment(request: HttpRequest) -> HttpResponse:
    """The page; its running part alone under htmx; POST asks for a run, or for pictures."""
    if request.method == "POST":
        return (
            _fetch_pictures(request) if request.POST.get("what") == "pictures" else _start(request)
        )
    runs = list(EnrichmentRun.objects.order_by("-created_at")[:RUNS_SHOWN])
    context = {
        "current": next((run for run in runs if run.is_open), None),
        "runs": runs,
        "has_key": bool(settings.TMDB_API_KEY),
        "states": _states(),
        "refresh_days": REFRESH_AFTER.days,
        "embedding": embedding_state(),
        "n_pictures": _n_pictures() if settings.TMDB_API_KEY else 0,
    }
    is_fragment = request.headers.get("HX-Request") == "true"
    name = "catalog/_enrichment_run.html" if is_fragment else "catalog/enrichment.html"
    return render(request, name, context)


def _start(request: HttpRequest) -> HttpResponse:
    if settings.TMDB_API_KEY:
        run_request(
            trigger="staff",
            now=timezone.now(),
            refresh_older_than_days=REFRESH_AFTER.days,
            requested_by=request.user if request.user.is_authenticated else None,
        )
        messages.success(request, _("The enrichment is on its way; this page follows it."))
    else:
        messages.error(request, _("Set TMDB_API_KEY or TMDB_API_KEY_FILE first."))
    return redirect("catalog:enrichment")


def _n_pictures() -> int:
    """How many pictures the next request would fetch."""
    return len(images_wanted(now=timezone.now(), limit=IMAGES_PER_SLICE))


def _fetch_pictures(request: HttpRequest) -> HttpResponse:
    if not settings.TMDB_API_KEY:
        messages.error(request, _("Set TMDB_API_KEY or TMDB_API_KEY_FILE first."))
    elif images_publish():
        messages.success(request, _("A worker is fetching pictures; reload to see how many lack."))
    else:
        messages.error(request, _("The worker's queue does not answer: try again in a minute."))
    return redirect("catalog:enrichment")


def _states() -> list[tuple[str, int]]:
    """How many films stand how; the never asked first."""
    counts = dict(
        EnrichmentState.objects.values_list("status").annotate(n=Count("pk")).order_by("status")
    )
    never = Movie.objects.count() - sum(counts.values())
    named = [(str(EnrichmentState.Status(status).label), n) for status, n in counts.items()]
    return [(_("Never asked for"), never), *named]
