"""The page of one's exports: ask, wait, download."""

from __future__ import annotations

from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.requests import signed_in
from feedback.exports.jobs import export_content, export_filename, export_request, exports_of
from feedback.exports.models import ExportJob

SHOWN_EXPORTS = 5


@login_required
@never_cache
@reauthentication_required(allow_get=True)
@require_http_methods(["GET", "POST"])
def exports(request: HttpRequest) -> HttpResponse:
    """My exports; their state alone under htmx; POST asks for one, after the password."""
    user = signed_in(request.user)
    if request.method == "POST":
        export_request(user)
        return redirect("feedback:exports")
    jobs = list(exports_of(user)[:SHOWN_EXPORTS])
    context = {
        "jobs": jobs,
        "current": next((job for job in jobs if job.is_open), None),
        "keep_hours": settings.EXPORT_KEEP_HOURS,
    }
    name = "_exports" if request.htmx else "exports"  # type: ignore[attr-defined]
    return render(request, f"feedback/exports/{name}.html", context)


@login_required
@never_cache
@require_safe
@reauthentication_required
def export_download(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The ZIP, to its person alone and not for ever: 404 for others, 410 when it has expired."""
    job = get_object_or_404(ExportJob, pk=pk, user=signed_in(request.user))
    content = export_content(job)
    if content is None:
        return render(request, "feedback/exports/expired.html", {"job": job}, status=410)
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{export_filename(job)}"'
    return response
