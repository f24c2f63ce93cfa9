"""``/staff/``: each view picks the time, calls one selector and renders."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from dashboard.model_card import card_markdown, model_card
from dashboard.monitoring.status import dependencies, worst
from dashboard.staff.access import staff_page
from dashboard.staff.clusters_page import clusters_page
from dashboard.staff.feedback_page import feedback_page
from dashboard.staff.models_page import models_page, trainings_now
from dashboard.staff.overview import overview
from dashboard.staff.periods import Period, period_of
from dashboard.staff.pipeline_page import now_of, pipeline_page
from dashboard.staff.shown_page import shown_page
from dashboard.staff.tables import UnknownTableError, csv_lines
from recommendations.models import ModelVersion
from recommendations.sources import HYBRID


def _period(request: HttpRequest) -> Period:
    return period_of(request.GET.get("days", ""), now=timezone.now())


def _is_fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


@staff_page
def index(request: HttpRequest) -> HttpResponse:
    """Overview."""
    period = _period(request)
    context = {"period": period, "page": overview(period, now=timezone.now())}
    return render(request, "dashboard/staff/overview.html", context)


@staff_page
def feedback(request: HttpRequest) -> HttpResponse:
    """What people do."""
    period = _period(request)
    context = {"period": period, "page": feedback_page(period)}
    return render(request, "dashboard/staff/feedback.html", context)


@staff_page
def shown(request: HttpRequest) -> HttpResponse:
    """What people are shown."""
    period = _period(request)
    context = {"period": period, "page": shown_page(period)}
    return render(request, "dashboard/staff/shown.html", context)


@staff_page
def pipeline(request: HttpRequest) -> HttpResponse:
    """How lists come about; its live part alone under htmx."""
    now = timezone.now()
    if _is_fragment(request):
        return render(request, "dashboard/staff/_now.html", {"now": now_of(now=now)})
    period = _period(request)
    page = pipeline_page(period, now=now)
    context = {"period": period, "page": page, "now": page.now}
    return render(request, "dashboard/staff/pipeline.html", context)


@staff_page
def clusters(request: HttpRequest) -> HttpResponse:
    """Kinds of audience."""
    period = _period(request)
    context = {"period": period, "page": clusters_page(period)}
    return render(request, "dashboard/staff/clusters.html", context)


@staff_page
def models(request: HttpRequest) -> HttpResponse:
    """The models; what is being trained alone under htmx."""
    if _is_fragment(request):
        context: dict[str, object] = {"trainings": trainings_now()}
        return render(request, "dashboard/staff/_trainings.html", context)
    page = models_page(request.GET.get("kind", HYBRID))
    context = {"page": page, "trainings": trainings_now()}
    return render(request, "dashboard/staff/models.html", context)


@staff_page
def model(request: HttpRequest, version: str) -> HttpResponse:
    """One version's card; as Markdown with ``?format=md``."""
    card = model_card(get_object_or_404(ModelVersion, version=version))
    if request.GET.get("format") == "md":
        answer = HttpResponse(card_markdown(card), content_type="text/markdown; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{version}.md"'
        return answer
    return render(request, "dashboard/staff/model.html", {"card": card})


@staff_page
def status(request: HttpRequest) -> HttpResponse:
    """``/status/``: every dependency, asked now."""
    now = timezone.now()
    found = dependencies(now=now)
    context = {"found": found, "worst": worst(found), "now": now}
    return render(request, "dashboard/staff/status.html", context)


@staff_page
def table(request: HttpRequest, name: str) -> StreamingHttpResponse:
    """A roll-up as CSV."""
    try:
        lines = csv_lines(name, _period(request), now=timezone.now())
    except UnknownTableError as error:
        raise Http404 from error
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer
