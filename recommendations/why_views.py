"""``/films/<pk>/why/``: the reason of a card in full."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.requests import person_for_feedback, person_of, person_required, signed_in
from accounts.selectors import taste_of
from catalog.models import Movie
from feedback.undo import Toast, say_with_undo
from ml.explain import Tag
from recommendations.phrasing import is_on, phrased, plain_sentence
from recommendations.pipeline import DEFAULT_SOURCE, POPULAR, UnknownSourceError
from recommendations.reasons import TAG_LABELS
from recommendations.selectors import SOURCE_LABELS
from recommendations.services.muting import reason_mute
from recommendations.why import why_film


@require_GET
@person_required
@never_cache
def why(request: HttpRequest, pk: int) -> HttpResponse:
    """All parts of a film's score; ``?without=ID`` shows the list as it would be without one."""
    movie = get_object_or_404(Movie.objects.visible(), pk=pk)
    raw = request.GET.get("without", "")
    if raw and not (raw.isdecimal() and len(raw) < 19):
        raise Http404("No such film.")
    source = request.GET.get("source", DEFAULT_SOURCE)
    if source == POPULAR:  # a card that filled a place of the list
        source = DEFAULT_SOURCE
    try:
        found, preview = why_film(
            signed_in(person_of(request)),
            movie,
            source=source,
            without_id=int(raw) if raw else None,
        )
    except UnknownSourceError as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
    except Movie.DoesNotExist as error:
        raise Http404(str(error)) from error
    muted = set(taste_of(signed_in(person_of(request))).muted_reasons)
    context = {
        "movie": movie,
        "why": found,
        "preview": preview,
        "reasons": [
            (tag.value, TAG_LABELS[tag] % {"title": "…"}, tag.value in muted) for tag in Tag
        ],
        "sentence": plain_sentence(found.evidence) if found.evidence else "",
        "is_phrased": is_on(),
        "source_label": SOURCE_LABELS.get(source, source),
        # A muted film is no longer one to leave out: back to the page itself.
        "next_url": f"{request.path}?source={source}",
    }
    htmx = request.htmx  # type: ignore[attr-defined]
    is_fragment = bool(htmx) and not htmx.boosted and not htmx.history_restore_request
    template = "_why.html" if is_fragment else "why.html"
    return render(request, f"recommendations/{template}", context)


@require_GET
@person_required
@never_cache
def why_sentence(request: HttpRequest, pk: int) -> HttpResponse:
    """The reason in one sentence, in a language model's words where one is asked and they hold."""
    movie = get_object_or_404(Movie.objects.visible(), pk=pk)
    source = request.GET.get("source", DEFAULT_SOURCE)
    try:
        found, _preview = why_film(signed_in(person_of(request)), movie, source=source)
    except UnknownSourceError as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
    said = phrased(found.evidence) if found.evidence else ""
    return render(request, "recommendations/_sentence.html", {"movie": movie, "sentence": said})


@require_POST
@never_cache
def mute_reason(request: HttpRequest) -> HttpResponse:
    """Takes a kind of reason off the person's cards (``on=1``), or puts it back."""
    user = person_for_feedback(request)
    name = request.POST.get("reason", "")
    if name not in set(Tag):
        return HttpResponseBadRequest(_("There is no such reason."))
    is_on = request.POST.get("on") == "1"
    reason_mute(user=user, reason=Tag(name), is_muted=is_on)
    said = TAG_LABELS[Tag(name)] % {"title": "…"}
    words = (
        _("No card says “%(reason)s” any more.") if is_on else _("Cards say “%(reason)s” again.")
    )
    way_back = {"reason": name, "on": "0" if is_on else "1"}
    say_with_undo(request, Toast(words % {"reason": said}, request.path, way_back))
    where = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(where, allowed_hosts={request.get_host()})
    return redirect(where if is_ours else reverse("recommendations:for_you"))
