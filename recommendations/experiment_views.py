"""``/staff/experiments/``: policies tried on people."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.requests import signed_in
from recommendations.experiment_forms import ExperimentForm
from recommendations.experiment_pages import experiment_page, experiment_rows
from recommendations.experiments.models import Experiment
from recommendations.selectors import source_names
from recommendations.services.experiments import (
    ExperimentError,
    experiment_create,
    experiment_read,
    experiment_start,
    experiment_stop,
)
from recommendations.snapshot import current_snapshot


@never_cache
@staff_member_required(login_url="account_login")
@require_http_methods(["GET", "HEAD", "POST"])
def experiments(request: HttpRequest) -> HttpResponse:
    """All of them; POST makes a draft."""
    form = ExperimentForm(request.POST or None, sources=source_names(current_snapshot()))
    if request.method == "POST" and form.is_valid():
        try:
            made = experiment_create(form.wanted(), by=signed_in(request.user))
        except ExperimentError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("A draft: nobody sees anything of it before you start it."))
            return redirect("recommendations:experiment", pk=made.pk)
    context = {"rows": experiment_rows(), "form": form, "is_form_open": form.is_bound}
    status = 422 if form.errors else 200
    return render(request, "recommendations/experiments.html", context, status=status)


@never_cache
@staff_member_required(login_url="account_login")
@require_http_methods(["GET", "HEAD"])
def experiment(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them, as it was last read."""
    page = experiment_page(get_object_or_404(Experiment, pk=pk))
    return render(request, "recommendations/experiment.html", {"page": page})


@never_cache
@staff_member_required(login_url="account_login")
@require_POST
def experiment_act(request: HttpRequest, pk: int) -> HttpResponse:
    """``do``: start, stop or read."""
    found = get_object_or_404(Experiment, pk=pk)
    act = request.POST.get("do", "")
    try:
        if act == "start":
            experiment_start(found)
        elif act == "stop":
            experiment_stop(found, reason=request.POST.get("reason", "").strip())
            experiment_read(found)
        elif act == "read" and found.status != Experiment.Status.DRAFT:
            experiment_read(found)
        else:
            messages.error(request, _("That can't be done with this experiment."))
    except ExperimentError as error:
        messages.error(request, str(error))
    return redirect("recommendations:experiment", pk=pk)
