"""Diary and lists: pages of one's own films, and the part of the film page that writes them.

Another person's entry or list is 404: whose it is, is part of the query that fetches it.
"""

from __future__ import annotations

from datetime import date

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.requests import person_for_feedback, person_id_of
from catalog.models import Movie
from feedback import journal
from feedback.film_lists import diary_of, items_of, lists_of
from feedback.models import DiaryEntry, FilmList, ListItem
from feedback.services import FeedbackError
from feedback.undo import Toast, say_with_undo, toast_html

PAGE_SIZE = 30
_MAX_DIGITS = 6  # of a place in a list


class DiaryForm(forms.Form):
    """A viewing."""

    watched_on = forms.DateField(
        label=gettext_lazy("Watched on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": gettext_lazy("Say on which day.")},
    )
    is_rewatch = forms.BooleanField(label=gettext_lazy("Not for the first time"), required=False)
    note = forms.CharField(
        label=gettext_lazy("Note, for you alone"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ListForm(forms.Form):
    """A list's name and what it is about."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        error_messages={"required": gettext_lazy("A list needs a name.")},
    )
    note = forms.CharField(
        label=gettext_lazy("What it is about"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


@require_safe
@never_cache
def diary(request: HttpRequest) -> HttpResponse:
    """All viewings, the latest first, by month."""
    rows = diary_of(person_id_of(request))
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "feedback/diary.html", {"page_obj": page})


@require_POST
@never_cache
def diary_write(request: HttpRequest, pk: int) -> HttpResponse:
    """A viewing of this film."""
    movie = get_object_or_404(Movie.objects.visible(), pk=pk)
    form = DiaryForm(request.POST)
    if form.is_valid():
        try:
            journal.diary_add(user=person_for_feedback(request), movie=movie, **form.cleaned_data)
        except FeedbackError as error:
            form.add_error("watched_on", str(error))
    return _answer(request, movie, diary_form=form)


@require_POST
@never_cache
def diary_erase(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes one's own entry out."""
    entry = get_object_or_404(
        DiaryEntry.objects.select_related("movie"), pk=pk, user_id=person_id_of(request)
    )
    written = {"watched_on": f"{entry.watched_on:%Y-%m-%d}", "note": entry.note}
    if entry.is_rewatch:
        written["is_rewatch"] = "on"
    journal.diary_remove(entry=entry)
    said = _("Out of your diary: %(title)s, %(day)s.") % {
        "title": entry.movie.title,
        "day": date_format(entry.watched_on, "DATE_FORMAT"),
    }
    write_url = reverse("feedback:diary_write", args=[entry.movie_id])
    return _answer(request, entry.movie, toast=Toast(said, write_url, written))


@require_GET
@never_cache
def film_journal(request: HttpRequest, pk: int) -> HttpResponse:
    """My viewings of a film and my lists that hold it: a fragment of its page, or a page."""
    movie = get_object_or_404(Movie.objects.visible(), pk=pk)
    return _film_page(request, movie)


@require_safe
@never_cache
def lists(request: HttpRequest) -> HttpResponse:
    """My lists, the latest changed first."""
    return _lists_page(request, ListForm())


@require_POST
@never_cache
def list_new(request: HttpRequest) -> HttpResponse:
    """Makes a list; with a film, puts it in at once."""
    form = ListForm(request.POST)
    if not form.is_valid():
        return _lists_page(request, form, status=422)
    try:
        made = journal.list_create(user=person_for_feedback(request), **form.cleaned_data)
    except FeedbackError as error:
        form.add_error("name", str(error))
        return _lists_page(request, form, status=422)
    raw = request.POST.get("movie", "")
    movie = Movie.objects.visible().filter(pk=int(raw) if raw.isdecimal() else 0).first()
    if movie is None:
        return redirect("feedback:list", pk=made.pk)
    journal.list_put(film_list=made, movie=movie, is_in=True)
    return _answer(request, movie)


@require_safe
@never_cache
def list_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One of my lists, with everything that can be done with it."""
    found = _own_list(request, pk)
    form = ListForm(initial={"name": found.name, "note": found.note})
    return _list_page(request, found, form)


@require_POST
@never_cache
def list_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Name and note."""
    found = _own_list(request, pk)
    form = ListForm(request.POST)
    if not form.is_valid():
        return _list_page(request, found, form, status=422)
    journal.list_edit(film_list=found, **form.cleaned_data)
    messages.success(request, _("Saved."))
    return redirect("feedback:list", pk=found.pk)


@require_POST
@never_cache
def list_share(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes the list readable by its address, or not any more."""
    found = _own_list(request, pk)
    journal.list_share(film_list=found, is_on=request.POST.get("on") == "1")
    return redirect("feedback:list", pk=found.pk)


@require_POST
@never_cache
def list_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """The list itself."""
    found = _own_list(request, pk)
    journal.list_delete(film_list=found)
    messages.success(request, _("%(name)s is deleted.") % {"name": found.name})
    return redirect("feedback:lists")


@require_POST
@never_cache
def list_film(request: HttpRequest, pk: int, movie_pk: int) -> HttpResponse:
    """What ``do`` says with a film of the list: in, out, up, down, note."""
    found = _own_list(request, pk)
    movie = get_object_or_404(Movie.objects.visible(), pk=movie_pk)
    act = request.POST.get("do", "")
    toast = None
    if act == "in":
        try:
            journal.list_put(film_list=found, movie=movie, is_in=True)
        except FeedbackError as error:
            messages.error(request, str(error))
        else:
            _put_as_it_was(request, found, movie)
    elif act == "out":
        toast = _taken_out(found, movie)
    elif act in {"up", "down"}:
        places = list(found.items.values_list("movie_id", flat=True))
        if movie.pk in places:
            step = -1 if act == "up" else 1
            to = max(0, places.index(movie.pk) + step)
            journal.list_move(film_list=found, movie=movie, to=to)
    elif act == "note":
        note = _cut_note(request.POST.get("note", ""))
        journal.list_item_note(film_list=found, movie=movie, note=note)
    else:
        return HttpResponse(_("There is no such act."), status=400, content_type="text/plain")
    if request.htmx:  # type: ignore[attr-defined]
        return _film_page(request, movie, toast=toast)
    if toast is not None:
        say_with_undo(request, toast)
        return _back(request) or redirect("feedback:list", pk=pk)
    return _back(request) or redirect(f"{reverse('feedback:list', args=[pk])}#film-{movie.pk}")


def _taken_out(film_list: FilmList, movie: Movie) -> Toast | None:
    """Takes the film out; the way back knows its place and its note. None where it was not in."""
    items = list(film_list.items.order_by("position", "pk"))
    place = next((n for n, item in enumerate(items) if item.movie_id == movie.pk), None)
    if place is None:
        return None
    journal.list_put(film_list=film_list, movie=movie, is_in=False)
    said = _("%(title)s is off %(list)s.") % {"title": movie.title, "list": film_list.name}
    fields = {"do": "in", "place": str(place), "note": items[place].note}
    url = reverse("feedback:list_film", args=[film_list.pk, movie.pk])
    return Toast(said, url, fields)


def _put_as_it_was(request: HttpRequest, film_list: FilmList, movie: Movie) -> None:
    """Where the form says place and note, as that of ``_taken_out`` does."""
    place, note = request.POST.get("place", ""), request.POST.get("note", "")
    if place.isdecimal() and len(place) < _MAX_DIGITS:
        journal.list_move(film_list=film_list, movie=movie, to=int(place))
    if note:
        journal.list_item_note(film_list=film_list, movie=movie, note=_cut_note(note))


def _cut_note(note: str) -> str:
    return note[: ListItem._meta.get_field("note").max_length]


@require_safe
@never_cache
def list_shared(request: HttpRequest, key: str) -> HttpResponse:
    """A list by its shared address: its name, films and notes, and nothing of whose it is."""
    found = get_object_or_404(FilmList, share_key=key)
    context = {"film_list": found, "items": _items(found)}
    response = render(request, "feedback/list_shared.html", context)
    response["X-Robots-Tag"] = "noindex"
    return response


def _own_list(request: HttpRequest, pk: int) -> FilmList:
    return get_object_or_404(FilmList, pk=pk, user_id=person_id_of(request))


def _items(film_list: FilmList) -> list[ListItem]:
    return list(items_of(film_list))


def _lists_page(request: HttpRequest, form: ListForm, status: int = 200) -> HttpResponse:
    mine = lists_of(person_id_of(request))
    context = {"film_lists": mine, "form": form}
    return render(request, "feedback/lists.html", context, status=status)


def _list_page(
    request: HttpRequest, film_list: FilmList, form: ListForm, status: int = 200
) -> HttpResponse:
    shared = ""
    if film_list.share_key:
        path = reverse("feedback:list_shared", args=[film_list.share_key])
        shared = request.build_absolute_uri(path)
    context = {"film_list": film_list, "items": _items(film_list), "form": form, "shared": shared}
    return render(request, "feedback/list.html", context, status=status)


def _film_page(
    request: HttpRequest,
    movie: Movie,
    *,
    diary_form: DiaryForm | None = None,
    toast: Toast | None = None,
    status: int = 200,
) -> HttpResponse:
    person_id = person_id_of(request)
    today: date = timezone.localdate()
    entries = DiaryEntry.objects.filter(user_id=person_id, movie=movie).order_by("-watched_on")
    mine = FilmList.objects.filter(user_id=person_id).order_by("-updated_at", "-pk")
    holding = set(
        ListItem.objects.filter(film_list__user_id=person_id, movie=movie).values_list(
            "film_list_id", flat=True
        )
    )
    context = {
        "movie": movie,
        "entries": list(entries),
        "form": diary_form or DiaryForm(initial={"watched_on": today}),
        "is_open": diary_form is not None and not diary_form.is_valid(),
        "film_lists": [(one, one.pk in holding) for one in mine],
    }
    htmx = request.htmx  # type: ignore[attr-defined]
    template = "_film_journal.html" if htmx else "film_journal.html"
    html: str = render_to_string(f"feedback/{template}", context, request)
    if toast is not None:
        html += toast_html(request, toast, movie=movie, target=f"journal-{movie.pk}")
    return HttpResponse(html, status=status)


def _answer(
    request: HttpRequest,
    movie: Movie,
    *,
    diary_form: DiaryForm | None = None,
    toast: Toast | None = None,
) -> HttpResponse:
    is_wrong = diary_form is not None and not diary_form.is_valid()
    if is_wrong:
        return _film_page(request, movie, diary_form=diary_form, status=422)
    if request.htmx:  # type: ignore[attr-defined]
        return _film_page(request, movie, toast=toast)
    if toast is not None:
        say_with_undo(request, toast)
    return _back(request) or redirect("feedback:film_journal", pk=movie.pk)


def _back(request: HttpRequest) -> HttpResponseRedirectBase | None:
    path = request.POST.get("next", "")
    if path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None):
        return redirect(path)
    return None
