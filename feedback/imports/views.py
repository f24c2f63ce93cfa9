"""Pages of one's imports: bring a file, see what it would do, repair, write, take back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import signed_in
from accounts.uploads import is_file_too_large
from catalog.models import Movie
from catalog.search import search_films
from feedback.imports import services
from feedback.imports.archive import MAX_ROWS, MAX_UPLOAD_BYTES
from feedback.imports.models import ImportFilm, ImportJob
from feedback.imports.selectors import films_to_repair, import_report, imports_of
from feedback.services import FeedbackError

PAGE_SIZE = 20
SHOWN_IMPORTS = 20
FOUND_BY_SEARCH = 6
State = ImportFilm.State
#: The queue's parts, in the order in which they are worth a look.
PARTS = (State.CHECK, State.UNKNOWN, State.CHOSEN, State.SKIPPED, State.FOUND)
MB = MAX_UPLOAD_BYTES // 1024 // 1024


class UploadForm(forms.Form):
    """One file."""

    file = forms.FileField(
        label=gettext_lazy("Your file"),
        widget=forms.FileInput(attrs={"accept": ".zip,.csv,.json,.txt,.tsv", "class": "input"}),
        error_messages={
            "required": gettext_lazy("Choose a file first."),
            "empty": gettext_lazy("The file is empty. Download it again where you got it."),
        },
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """What can be imported and what was; POST takes a file in."""
    form = UploadForm()
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if is_file_too_large(request):
            said = _("The file is larger than %(mb)s MB. Import its parts one by one.") % {"mb": MB}
            form.errors.clear()
            form.add_error("file", said)
        elif form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                job = services.import_create(
                    user=signed_in(request.user), filename=upload.name, content=upload.read()
                )
            except FeedbackError as error:
                form.add_error("file", str(error))
            else:
                return redirect("feedback:import", pk=job.pk)
    context = {
        "form": form,
        "imports": imports_of(signed_in(request.user))[:SHOWN_IMPORTS],
        "max_mb": MB,
        "max_rows": MAX_ROWS,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "feedback/imports/imports.html", context, status=status)


@login_required
@never_cache
@require_safe
def import_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One import; its state alone under htmx, which asks again while it is under way."""
    job = _own(request, pk)
    context = {"job": job, "report": import_report(job)}
    name = "_import" if request.htmx else "import"  # type: ignore[attr-defined]
    return render(request, f"feedback/imports/{name}.html", context)


_ACTS = {
    "apply": (services.import_apply, gettext_lazy("There is nothing left to write.")),
    "undo": (services.import_undo, gettext_lazy("There is nothing to take back.")),
    "cancel": (services.import_cancel, gettext_lazy("It has ended already.")),
}


@login_required
@never_cache
@require_POST
def import_act(request: HttpRequest, pk: UUID, act: str) -> HttpResponse:
    """Write, take back, stop, or remove it from the list."""
    job = _own(request, pk)
    if act == "forget":
        services.import_forget(job)
        messages.success(
            request, _("The import is off your list. What it wrote is yours and stays.")
        )
        return redirect("feedback:imports")
    ask, refusal = _ACTS[act]
    if not ask(job):
        messages.error(request, refusal)
    if not ImportJob.objects.filter(pk=job.pk).exists():
        return redirect("feedback:imports")
    return redirect("feedback:import", pk=job.pk)


@login_required
@never_cache
@require_safe
def import_check(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The repair queue: films that were not found for sure, a page at a time."""
    job = _own(request, pk)
    report = import_report(job)
    asked = request.GET.get("state", "")
    state = State(asked) if asked in PARTS else (State.CHECK if report.n_check else State.UNKNOWN)
    films = (
        job.films.filter(state=state)
        .prefetch_related("rows")
        .order_by("confidence" if state == State.FOUND else "pk", "pk")
    )
    page = Paginator(films, PAGE_SIZE).get_page(request.GET.get("page"))
    items = films_to_repair(list(page))
    counts = {
        State.CHECK: report.n_check,
        State.UNKNOWN: report.n_unknown,
        State.SKIPPED: report.n_skipped,
    }
    context = {
        "job": job,
        "report": report,
        "items": items,
        "page_obj": page,
        "query": f"state={state.value}",
        "state": state,
        "parts": [(part, part.label, counts.get(part)) for part in PARTS],
        "can_change": not job.is_open,
    }
    return render(request, "feedback/imports/check.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def import_film(request: HttpRequest, pk: UUID, film_pk: int) -> HttpResponse:
    """One film of the queue: looked for by another title (GET q), chosen or skipped (POST)."""
    job = _own(request, pk)
    film = get_object_or_404(job.films.prefetch_related("rows"), pk=film_pk)
    found: list[Movie] = []
    query = request.GET.get("q", "")[:120]
    if request.method == "POST":
        refusal = _decide(request, job, film)
        if refusal:
            messages.error(request, refusal)
        if not request.htmx:  # type: ignore[attr-defined]
            return redirect(_back(request, job))
        film = get_object_or_404(job.films.prefetch_related("rows"), pk=film_pk)
    elif query.strip():
        hits = search_films(query, limit=FOUND_BY_SEARCH, titles_only=True)
        movies = Movie.objects.visible().for_cards().in_bulk([hit.movie_id for hit in hits])
        found = [movies[hit.movie_id] for hit in hits if hit.movie_id in movies]
    context: dict[str, Any] = {
        "job": job,
        "item": films_to_repair([film])[0],
        "found": found,
        "q": query,
        "can_change": not job.is_open,
    }
    name = "_film" if request.htmx else "film"  # type: ignore[attr-defined]
    return render(request, f"feedback/imports/{name}.html", context)


def _decide(request: HttpRequest, job: ImportJob, film: ImportFilm) -> str:
    """Does what was chosen; why not, where that is not possible."""
    if job.is_open:
        return _("The import is under way: wait until it has stopped.")
    if not services.film_is_open(film):
        return _("This film was written already. Take the import back to choose anew.")
    if "skip" in request.POST:
        services.film_skip(film)
        return ""
    raw = request.POST.get("movie", "")
    number = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 16 else 0
    movie = Movie.objects.visible().filter(pk=number).first()
    if movie is None:
        return _("Choose one of the films.")
    services.film_choose(film, movie)
    return ""


def _back(request: HttpRequest, job: ImportJob) -> str:
    """The queue, where the person was."""
    state = request.POST.get("from", "")
    page = request.POST.get("page", "")
    path = reverse("feedback:import_check", args=[job.pk])
    return (
        path
        + (f"?state={state}" if state in PARTS else "?state=check")
        + (f"&page={page}" if page.isascii() and page.isdigit() else "")
    )


def _own(request: HttpRequest, pk: UUID) -> ImportJob:
    return get_object_or_404(ImportJob, pk=pk, user=signed_in(request.user))
