"""The swipe deck's page, and the form of buttons that works without a script."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.requests import person_for_feedback, person_of
from catalog.selectors import audience_is_simulated
from feedback.batch import FeedbackItem, Status, Verb, feedback_apply
from feedback.forms import EventForm
from feedback.selectors import last_answers
from recommendations.quiz import ANY, MOODS
from recommendations.swipe import SURFACE, Deal, deal
from recommendations.swipe_apis import dealt_body
from recommendations.swipe_cards import swipe_cards
from recommendations.swipe_slates import shown_log
from recommendations.wishes import Wish

CARDS = 16  # enough for a tunnel; refilled after every answer while there is a network
LAST_ANSWERS = 12

#: What the deck's own words for the verbs are: (verb, button, what was done).
VERBS = [
    (Verb.DISLIKE, gettext_lazy("Not for me"), gettext_lazy("Not for you")),
    (Verb.NOT_SEEN, gettext_lazy("Not seen"), gettext_lazy("Not seen")),
    (Verb.WATCHLIST, pgettext_lazy("swipe", "Save"), gettext_lazy("Saved")),
    (Verb.LIKE, gettext_lazy("Like"), gettext_lazy("Liked")),
    (Verb.NEVER, gettext_lazy("Never"), gettext_lazy("Never again")),
]
SAID = {verb.value: said for verb, _button, said in VERBS}


class AnswerForm(EventForm):
    """One answer, or one taken back, from a form without a script."""

    movie = forms.IntegerField(min_value=1)
    verb = forms.ChoiceField(choices=[(verb.value, verb.value) for verb, _b, _s in VERBS])
    on = forms.ChoiceField(choices=[("1", "on"), ("0", "off")], required=False)
    wish = forms.CharField(required=False, max_length=2000)

    def item(self) -> FeedbackItem:
        """Of a valid form."""
        return FeedbackItem(
            movie_id=self.cleaned_data["movie"],
            verb=Verb(self.cleaned_data["verb"]),
            is_on=self.cleaned_data["on"] != "0",
            event=self.event(),
        )


@require_GET
@never_cache
def swipe(request: HttpRequest) -> HttpResponse:
    """The deck. ``film`` puts a film on top: the address of a card, for Back and for links."""
    person = person_of(request)
    wish = Wish.from_query(request.GET)
    film = request.GET.get("film", "")
    first = [int(film)] if film.isascii() and film.isdigit() and len(film) < 18 else []
    dealt = deal(person, wish, n=CARDS, first=first)
    cards = swipe_cards(dealt.ranked, request_id=str(uuid.uuid4()))
    body = dealt_body(dealt, user=person, cards=cards)
    if cards:
        shown_log(body["receipt"], [cards[0].card.position or 0], user=person)
    answers = last_answers(person, surface=SURFACE, n=LAST_ANSWERS)
    context = {
        "top": cards[0] if cards else None,
        "next_cards": cards[1:3],
        "wish": wish,
        "wish_query": wish.as_query(),
        "wish_words": _words_of(wish, dealt),
        "chips": dealt.chips,
        "moods": [(key, name) for key, name in MOODS if key != ANY],
        "verbs": [(verb.value, button) for verb, button, _said in VERBS],
        "last": [(answer, SAID[answer.verb]) for answer in answers if answer.verb in SAID],
        "is_audience_simulated": audience_is_simulated(),
        "deck": _script_data(body, wish, person=person, answers=answers),
    }
    return render(request, "recommendations/swipe.html", context)


def _words_of(wish: Wish, dealt: Deal) -> str:
    """The wish in words: the mood's name, or the words that no chip took."""
    if wish.mood is not None:
        return str(dict(MOODS).get(wish.mood.value, ""))
    return dealt.text


def _script_data(
    body: dict[str, Any], wish: Wish, *, person: User | AnonymousUser, answers: list[Any]
) -> dict[str, Any]:
    """What the script starts from; nothing in it that the page does not show."""
    search = wish.search
    asked: dict[str, Any] = {"mood": wish.mood.value} if wish.mood else {}
    if search is not None:
        asked = {"q": search.text}
        if search.chips is not None:
            asked |= {"chip": [chip.encoded() for chip in search.chips], "understood": True}
    return {
        "deal": body,
        "asked": asked,
        "query": wish.as_query(),
        "said": {verb: str(said) for verb, said in SAID.items()},
        "last": [
            {"movie_id": answer.movie_id, "title": answer.title, "verb": answer.verb}
            for answer in answers
            if answer.verb in SAID
        ],
    }


@require_POST
@never_cache
def answer(request: HttpRequest) -> HttpResponse:
    """One answer by a plain form; then the next card, or the one that was taken back."""
    form = AnswerForm(request.POST)
    if not form.is_valid():
        said = " ".join(f"{name}: {errors[0]}" for name, errors in form.errors.items())
        return HttpResponseBadRequest(said, content_type="text/plain; charset=utf-8")
    query = Wish.from_query(QueryDict(form.cleaned_data["wish"])).as_query()
    here = reverse("recommendations:swipe")
    back = f"{here}?{query}" if query else here
    person = person_for_feedback(request)
    item = form.item()
    [outcome] = feedback_apply(user=person, items=[item])
    if outcome.status is Status.REFUSED:
        messages.error(request, outcome.message)
    elif not item.is_on:
        messages.success(request, _("Taken back."))
        on_top = f"film={item.movie_id}"
        return redirect(f"{here}?{query}&{on_top}" if query else f"{here}?{on_top}")
    return redirect(back)
