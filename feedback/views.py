"""Pages and fragments of what a person did with films."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.requests import person_for_feedback, person_id_of, person_of
from catalog.models import Movie
from catalog.numbers import stars_text
from feedback import services
from feedback.events import EventConflictError, Recorded
from feedback.film_lists import HIDING, hidden_of, ratings_of, watchlist_of
from feedback.forms import EventForm, RateForm, ReactForm, WatchlistForm
from feedback.models import Rating, Reaction
from feedback.selectors import NOTHING, film_states
from feedback.undo import Toast, say_with_undo, toast_html

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PAGE_SIZE = 30

# The widget that asked is told by the id of htmx's target.
_LEDGER_ROW = "feedback/_ledger_row.html"
_WIDGETS = {
    "card-actions": "feedback/_card_actions.html",
    "film-actions": "feedback/_film_actions.html",
    "ledger-ratings": _LEDGER_ROW,
    "ledger-watchlist": _LEDGER_ROW,
    # A film may be hidden in two ways, with a row of its own for each.
    **{f"ledger-{kind}": _LEDGER_ROW for kind in HIDING},
}


@require_POST
@never_cache
def rate(request: HttpRequest, pk: int) -> HttpResponse:
    """Sets or clears a person's stars for a film."""
    movie = get_object_or_404(Movie.objects.visible().for_cards(), pk=pk)
    form = RateForm(request.POST)
    if not form.is_valid():
        return _bad_request(form)
    person = person_for_feedback(request)
    stars = form.cleaned_data["stars"]
    try:
        if stars is None:
            done = services.rating_clear(user=person, movie=movie, event=form.event())
            message = _("Your stars for %(title)s are gone.") % {"title": movie.title}
        else:
            done = services.rating_set(user=person, movie=movie, stars=stars, event=form.event())
            message = _("You gave %(title)s %(stars)s.") % {
                "title": movie.title,
                "stars": stars_text(stars),
            }
    except (services.FeedbackError, EventConflictError) as error:
        return HttpResponseBadRequest(str(error))
    toast = Toast(message, reverse("feedback:rate", args=[pk]), {"stars": done.previous}, stars)
    return _answer(request, movie, toast if done.is_new else None)


_SAID = {
    (Reaction.Kind.LIKE, True): gettext_lazy("Liked: more like %(title)s."),
    (Reaction.Kind.LIKE, False): gettext_lazy("Like taken back for %(title)s."),
    (Reaction.Kind.DISLIKE, True): gettext_lazy("Less like %(title)s."),
    (Reaction.Kind.DISLIKE, False): gettext_lazy("Dislike taken back for %(title)s."),
    (Reaction.Kind.SEEN, True): gettext_lazy("%(title)s is marked as seen."),
    (Reaction.Kind.SEEN, False): gettext_lazy("%(title)s is no longer marked as seen."),
    (Reaction.Kind.NOT_TONIGHT, True): gettext_lazy("Not tonight: %(title)s is back tomorrow."),
    (Reaction.Kind.NOT_TONIGHT, False): gettext_lazy("%(title)s is back."),
    (Reaction.Kind.NEVER, True): gettext_lazy("%(title)s will not be shown again."),
    (Reaction.Kind.NEVER, False): gettext_lazy("%(title)s may be shown again."),
    (Reaction.Kind.MUTED, True): gettext_lazy("Your lists no longer learn from %(title)s."),
    (Reaction.Kind.MUTED, False): gettext_lazy("Your lists learn from %(title)s again."),
}


@require_POST
@never_cache
def react(request: HttpRequest, pk: int) -> HttpResponse:
    """Puts a verb on a film or takes it off."""
    movie = get_object_or_404(Movie.objects.visible().for_cards(), pk=pk)
    form = ReactForm(request.POST)
    if not form.is_valid():
        return _bad_request(form)
    person = person_for_feedback(request)
    kind = Reaction.Kind(form.cleaned_data["kind"])
    is_on = form.cleaned_data["on"] != "0"
    act = services.reaction_set if is_on else services.reaction_clear
    try:
        done = act(user=person, movie=movie, kind=kind, event=form.event())
    except EventConflictError as error:
        return HttpResponseBadRequest(str(error))
    message = _SAID[kind, is_on] % {"title": movie.title}
    toast = Toast(message, reverse("feedback:react", args=[pk]), _undo_of(kind, is_on, done))
    return _answer(request, movie, toast if done.is_new else None)


def _undo_of(kind: Reaction.Kind, is_on: bool, done: Recorded) -> dict[str, str]:
    """A like that replaced a dislike is undone by the dislike, anything else by its opposite."""
    if is_on and done.previous:
        return {"kind": done.previous, "on": "1"}
    return {"kind": kind.value, "on": "0" if is_on else "1"}


@require_POST
@never_cache
def watchlist_toggle(request: HttpRequest, pk: int) -> HttpResponse:
    """Puts a film on the watchlist or takes it off."""
    movie = get_object_or_404(Movie.objects.visible().for_cards(), pk=pk)
    form = WatchlistForm(request.POST)
    if not form.is_valid():
        return _bad_request(form)
    person = person_for_feedback(request)
    is_on = form.cleaned_data["on"] != "0"
    try:
        done = services.watchlist_set(user=person, movie=movie, is_on=is_on, event=form.event())
    except EventConflictError as error:
        return HttpResponseBadRequest(str(error))
    said = _("%(title)s is on your watchlist.") if is_on else _("%(title)s is off your watchlist.")
    toast = Toast(
        said % {"title": movie.title},
        reverse("feedback:watchlist_toggle", args=[pk]),
        {"on": "0" if is_on else "1"},
    )
    return _answer(request, movie, toast if done.is_new else None)


@require_GET
@never_cache
def actions(request: HttpRequest, pk: int) -> HttpResponse:
    """The rating and the verbs of one film: a fragment of the film page, and a page of its own."""
    movie = get_object_or_404(Movie.objects.visible().for_cards(), pk=pk)
    is_fragment = bool(request.htmx)  # type: ignore[attr-defined]
    template = _WIDGETS["film-actions"] if is_fragment else "feedback/actions.html"
    return render(request, template, _widget_context(request, movie))


@never_cache
def ratings(request: HttpRequest) -> HttpResponse:
    """The films that a person rated, newest first."""
    rows = ratings_of(person_id_of(request))
    return _list_page(request, "feedback/ratings.html", rows, time_field="updated_at")


@never_cache
def watchlist(request: HttpRequest) -> HttpResponse:
    """The films that a person means to watch, newest first."""
    rows = watchlist_of(person_id_of(request))
    return _list_page(request, "feedback/watchlist.html", rows, time_field="created_at")


@never_cache
def hidden(request: HttpRequest) -> HttpResponse:
    """The films that a person does not want to be shown, each to be put back."""
    rows = hidden_of(person_id_of(request))
    return _list_page(request, "feedback/hidden.html", rows, time_field="created_at")


# How a list of one's own films may be sorted: what the address says, what people read, the fields.
_SORTS: dict[str, tuple[StrOrPromise, tuple[str, ...]]] = {
    "newest": (gettext_lazy("Latest first"), ("-{time}", "-pk")),
    "oldest": (gettext_lazy("Earliest first"), ("{time}", "pk")),
    "title": (gettext_lazy("By title"), ("movie__title_normalized", "pk")),
    "year": (gettext_lazy("By year"), ("-movie__year", "pk")),
    "best": (gettext_lazy("Best loved by everybody"), ("-movie__rating_mean", "pk")),
}
_MY_STARS: dict[str, tuple[StrOrPromise, tuple[str, ...]]] = {
    "stars": (gettext_lazy("My stars"), ("-stars", "-updated_at", "-pk"))
}


def _list_page(
    request: HttpRequest, template: str, rows: QuerySet, *, time_field: str
) -> HttpResponse:
    sorts = _SORTS | (_MY_STARS if rows.model is Rating else {})
    sort = request.GET.get("sort", "newest")
    sort = sort if sort in sorts else "newest"
    fields = [field.format(time=time_field) for field in sorts[sort][1]]
    page = Paginator(rows.order_by(*fields), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "sorts": [(key, label, key == sort) for key, (label, _fields) in sorts.items()],
        "query": "" if sort == "newest" else f"sort={sort}",
    }
    return render(request, template, context)


def _widget_context(request: HttpRequest, movie: Movie) -> dict:
    form = EventForm(request.POST or request.GET)
    slate = form.cleaned_data if form.is_valid() else {}
    return {
        "movie": movie,
        "state": film_states(user=person_of(request), movie_ids=[movie.pk]).get(movie.pk, NOTHING),
        "next_url": _next_path(request, movie),
        # The next act on this card still answers to the slate that showed it.
        "card": {
            "surface": slate.get("surface") or "",
            "request_id": slate.get("request_id") or "",
            "position": slate.get("position"),
        },
    }


def _ledger_context(kind: str, person_id: int, movie: Movie, toast: Toast | None) -> dict[str, Any]:
    """The row of one list: its film as it now stands there, or the way back of one that left."""
    name = kind.removeprefix("ledger-")
    rows: QuerySet[Any]
    if name in HIDING:
        name, rows = "hidden", hidden_of(person_id).filter(kind=name)
    else:
        rows = {"ratings": ratings_of, "watchlist": watchlist_of}[name](person_id)
    item = rows.filter(movie=movie).first()
    return {"list": name, "row_id": f"{kind}-{movie.pk}", "item": item, "left": toast}


def _answer(request: HttpRequest, movie: Movie, toast: Toast | None) -> HttpResponse:
    """The widget that asked and a toast with a way back; without JavaScript, the page again."""
    htmx = request.htmx  # type: ignore[attr-defined]
    if not htmx:
        if toast is not None:
            say_with_undo(request, toast)
        return redirect(_next_path(request, movie))
    kind = (htmx.target or "").rpartition("-")[0]
    kind = kind if kind in _WIDGETS else "card-actions"
    context = _widget_context(request, movie)
    if _WIDGETS[kind] == _LEDGER_ROW:
        context |= _ledger_context(kind, person_id_of(request), movie, toast)
    html: str = render_to_string(_WIDGETS[kind], context, request)
    if toast is not None:
        html += toast_html(request, toast, movie=movie, target=f"{kind}-{movie.pk}")
    return HttpResponse(html, headers={"HX-Trigger": "feedback:recorded"})


def _next_path(request: HttpRequest, movie: Movie) -> str:
    path = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(path, allowed_hosts=None) and path.startswith("/"):
        return path
    return movie.get_absolute_url()


def _bad_request(form: forms.Form) -> HttpResponse:
    messages = [f"{name}: {errors[0]}" for name, errors in form.errors.items()]
    return HttpResponseBadRequest(" ".join(messages), content_type="text/plain; charset=utf-8")
