"""Why a film answers the quiz, in words that are true of the film."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.cards import ReasonPart
from catalog.genres import by_precedence, genre_label
from ml.intent import RUNTIMES, Intensity, Intent, Mood, QuizAnswers, TimeBudget, canonical_genre
from ml.intent_tables import CALM, INTENSE, MOOD_GENRES

MAX_GENRES = 2

MOOD_PHRASES = {
    Mood.HAPPY: gettext_lazy("For a good laugh"),
    Mood.SAD: gettext_lazy("For a good cry"),
    Mood.RELAXED: gettext_lazy("To unwind"),
    Mood.TENSE: gettext_lazy("For suspense"),
    Mood.ROMANTIC: gettext_lazy("For romance"),
    Mood.SCARED: gettext_lazy("For a scare"),
    Mood.ADVENTUROUS: gettext_lazy("For adventure"),
    Mood.THOUGHTFUL: gettext_lazy("To think about"),
    Mood.CURIOUS: gettext_lazy("For the curious"),
    Mood.NOSTALGIC: gettext_lazy("For old times' sake"),
    Mood.INSPIRED: gettext_lazy("For inspiration"),
    Mood.DARK: gettext_lazy("For the dark side"),
}


def quiz_reason(
    answers: QuizAnswers,
    intent: Intent,
    *,
    genre_names: Iterable[str],
    runtime_min: int | None,
    meets_all: bool,
) -> tuple[ReasonPart, ...]:
    """ "Light and short: Comedy, 92 minutes": only the answers that this film meets are named.

    A length outside what was asked says so ("but 104 minutes"). Empty where nothing is known of the
    film, and where nothing was asked: then its fame is the reason.
    """
    if intent.is_empty:
        return ()
    names = list(genre_names)
    genres = {canonical_genre(name) for name in names}
    lead = _lead(answers, genres, runtime_min) if meets_all else ""
    shown = _named_genres(names, intent)
    parts = [ReasonPart(f"{lead}: ")] if lead and (shown or runtime_min) else []
    if shown:
        parts.append(ReasonPart(", ".join(map(genre_label, shown)), is_strong=True))
    if runtime_min:
        minutes = ngettext("%(n)s minute", "%(n)s minutes", runtime_min) % {"n": runtime_min}
        if shown:
            is_outside = not _is_inside(answers.time, runtime_min)
            said = _(", but %(minutes)s") if is_outside else _(", %(minutes)s")
            minutes = said % {"minutes": minutes}
        parts.append(ReasonPart(minutes))
    return tuple(parts)


def _named_genres(names: list[str], intent: Intent) -> list[str]:
    """What was asked for first; a film of which nothing was asked is called by its main genre."""
    weight = {name: intent.genres.get(canonical_genre(name), 0.0) for name in names}
    wanted = sorted((n for n in names if weight[n] > 0), key=lambda n: (-weight[n], n))
    return wanted[:MAX_GENRES] or by_precedence(names)[:1]


def _lead(answers: QuizAnswers, genres: set[str], runtime_min: int | None) -> str:
    words = []
    if answers.intensity is Intensity.LOW and genres & CALM and not genres & INTENSE:
        words.append(_("light"))
    if answers.intensity is Intensity.HIGH and genres & INTENSE:
        words.append(_("intense"))
    if answers.time is not TimeBudget.ANY and runtime_min and _is_inside(answers.time, runtime_min):
        words.append(
            {
                TimeBudget.SHORT: _("short"),
                TimeBudget.MEDIUM: _("of the usual length"),
                TimeBudget.LONG: _("long"),
            }[answers.time]
        )
    if words:
        text = words[0]
        if len(words) == 2:
            text = _("%(one)s and %(other)s") % {"one": words[0], "other": words[1]}
        return text[:1].upper() + text[1:]
    mood = answers.mood
    if mood is not None and any(MOOD_GENRES[mood.value].get(genre, 0.0) > 0 for genre in genres):
        return str(MOOD_PHRASES[mood])
    return ""


def _is_inside(time: TimeBudget, runtime_min: int) -> bool:
    limits = RUNTIMES[time]
    return limits is None or limits[0] <= runtime_min <= limits[1]
