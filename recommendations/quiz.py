"""The quiz: five questions, one page, no account and no script needed; and the list it leads to."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.requests import person_for_feedback, person_of
from catalog.genres import genre_label
from catalog.selectors import audience_is_simulated, genres_all
from feedback.selectors import film_states, quiz_answers_of
from feedback.services import quiz_answered
from ml.intent import ContentType, Intensity, Mood, QuizAnswers, TimeBudget
from recommendations.cards import cards_for
from recommendations.services.slates import slate_log
from recommendations.tonight import tonight_for

TONIGHT_FILMS = 24
ANY = "any"
NOT_GENRES = {"IMAX"}  # a format that MovieLens lists among the genres

MOODS = [
    (Mood.HAPPY.value, _("A good laugh")),
    (Mood.RELAXED.value, _("Something gentle")),
    (Mood.ROMANTIC.value, _("Romance")),
    (Mood.ADVENTUROUS.value, _("Adventure")),
    (Mood.TENSE.value, _("Suspense")),
    (Mood.SCARED.value, _("A scare")),
    (Mood.DARK.value, _("Something dark")),
    (Mood.SAD.value, _("A good cry")),
    (Mood.THOUGHTFUL.value, _("Something to think about")),
    (Mood.CURIOUS.value, _("To learn something")),
    (Mood.INSPIRED.value, _("Inspiration")),
    (Mood.NOSTALGIC.value, _("Old times")),
    (ANY, _("Any mood will do")),
]
CONTENT_TYPES = [
    (ContentType.LIVE_ACTION.value, _("Real people")),
    (ContentType.ANIMATED.value, _("Animated")),
    (ContentType.DOCUMENTARY.value, _("A documentary")),
    (ContentType.FAMILY.value, _("For the whole family")),
    (ContentType.ANY.value, _("I don't mind")),
]
TIMES = [
    (TimeBudget.SHORT.value, _("Up to 95 minutes")),
    (TimeBudget.MEDIUM.value, _("About two hours")),
    (TimeBudget.LONG.value, _("All evening")),
    (TimeBudget.ANY.value, _("I don't mind")),
]
INTENSITIES = [
    (Intensity.LOW.value, pgettext_lazy("intensity", "Light")),
    (Intensity.HIGH.value, _("Intense")),
    (Intensity.MEDIUM.value, _("Either is fine")),
]
# A choice that does not narrow anything is no chip.
OPEN_ANSWERS = {ANY, Intensity.MEDIUM.value}


def _one_of(label: Any, choices: list, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=forms.RadioSelect, **options)


class QuizForm(forms.Form):
    """The five questions. All but the first may be left open, and then mean "I don't mind"."""

    use_required_attribute = False  # our own message says what to do, and where

    mood = _one_of(
        _("What are you in the mood for?"),
        MOODS,
        error_messages={"required": _("Choose a mood, or say that any will do.")},
    )
    content_type = _one_of(_("What kind of film?"), CONTENT_TYPES, required=False)
    time = _one_of(_("How much time is there?"), TIMES, required=False)
    genres = forms.MultipleChoiceField(
        label=_("Any genres in particular?"),
        help_text=_("As many as you like. None means that all are welcome."),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    intensity = _one_of(_("How much may it ask of you?"), INTENSITIES, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        genres = [genre for genre in genres_all() if genre.name not in NOT_GENRES]
        self.genre_names = {genre.slug: genre.name for genre in genres}
        self.fields["genres"].choices = [(genre.slug, genre.label) for genre in genres]  # type: ignore[attr-defined]

    def to_store(self) -> dict[str, Any]:
        """Of a valid form: JSON that makes the same form again."""
        data = self.cleaned_data
        return {
            "mood": data["mood"],
            "content_type": data["content_type"] or ContentType.ANY.value,
            "time": data["time"] or TimeBudget.ANY.value,
            "genres": data["genres"],
            "intensity": data["intensity"] or Intensity.MEDIUM.value,
        }

    def answers(self) -> QuizAnswers:
        """Of a valid form: what the models take."""
        data = self.to_store()
        return QuizAnswers(
            mood=None if data["mood"] == ANY else Mood(data["mood"]),
            content_type=ContentType(data["content_type"]),
            time=TimeBudget(data["time"]),
            genres=tuple(self.genre_names[slug] for slug in data["genres"]),
            intensity=Intensity(data["intensity"]),
        )

    def chips(self) -> list[tuple[str, str]]:
        """Of a valid form: (question, answer in words) for whatever narrows the list."""
        data = self.to_store()
        chips = []
        for name in self.fields:
            if name == "genres":
                chips += [(name, genre_label(self.genre_names[slug])) for slug in data["genres"]]
            elif data[name] not in OPEN_ANSWERS:
                labels = dict(self.fields[name].choices)  # type: ignore[attr-defined]
                chips.append((name, str(labels[data[name]])))
        return chips


@require_http_methods(["GET", "POST"])
@never_cache
def quiz(request: HttpRequest) -> HttpResponse:
    """The questions; answered, they lead to the list."""
    if request.method == "POST":
        form = QuizForm(request.POST)
        if form.is_valid():
            quiz_answered(user=person_for_feedback(request), answers=form.to_store())
            return redirect("recommendations:tonight")
        return render(request, "recommendations/quiz.html", {"form": form}, status=422)
    form = QuizForm(initial=quiz_answers_of(person_of(request)) or {})
    return render(request, "recommendations/quiz.html", {"form": form})


@require_GET
@never_cache
def tonight(request: HttpRequest) -> HttpResponse:
    """The films for the latest answers; without any, the way to the questions."""
    person = person_of(request)
    stored = quiz_answers_of(person)
    form = QuizForm(stored) if stored else None
    if form is None or not form.is_valid():  # never asked, or of a genre that is gone since
        return render(request, "recommendations/tonight.html", {"chips": None})
    ranked = tonight_for(person, form.answers(), n=TONIGHT_FILMS, asked=form.to_store())
    request_id = uuid.uuid4()
    cards = cards_for(ranked.films, request_id=str(request_id), surface="tonight")
    slate_log(ranked, user=person, surface="tonight", request_id=request_id)
    context = {
        "chips": form.chips(),
        "cards": cards,
        "states": film_states(user=person, movie_ids=[card.movie.pk for card in cards]),
        "is_personal": bool(ranked.model_version),
        "fallback": ranked.fallback,
        "n_fitting": ranked.counts["fits"] + ranked.counts["length_unknown"],
        "is_audience_simulated": audience_is_simulated(),
    }
    return render(request, "recommendations/tonight.html", context)
