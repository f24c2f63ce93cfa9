"""A reason in a language model's words, if every word of it is covered by the evidence.

Off unless ``LLM_REASONS`` is on and an endpoint is configured. The model sees the evidence only
(titles, stars, shares), and its sentence is believed only where nothing else is in it: titles are
taken out first, numbers must belong to the film they stand beside, and what is left must be plain
words that state nothing. Anything else is discarded for the plain sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from catalog.llm.client import BadAnswerError, asked, is_configured

PROMPT = "reason-1"
MAX_LENGTH = 240
MAX_CAUSES = 2
SYSTEM = (
    "Write one warm, short sentence that tells somebody why a film is in their list. You are given "
    "the film, and which films of theirs speak for it, with the stars they gave and the share in "
    "per cent. Use nothing else: no other film, person, genre, plot or judgement, and no number "
    "that is not given. Write titles exactly as given. Answer with the sentence alone."
)
# Words that carry a sentence and state nothing of a film or a person.
PLAIN_WORDS = frozenset(
    "a about alone an and are as at because been by comes counts each film films for from gave "  # noqa: SIM905
    "give given here in is it its list made makes mean of on one part per cent percent picked "
    "put rated rating ratings reason same say says share so speak speaks star stars that the "
    "their this to together too two up we what which why with you your yours".split()
)


@dataclass(frozen=True)
class Cause:
    """A film of the history: its stars (None: a like) and its share in whole per cent."""

    title: str
    stars: Decimal | None
    percentage: int


@dataclass(frozen=True)
class ReasonEvidence:
    """All that may be said."""

    title: str
    causes: tuple[Cause, ...]


def is_on() -> bool:
    """Whether a model is asked for words at all: for English ones, which we can check."""
    is_english = (get_language() or "en").startswith("en")
    return is_english and bool(settings.LLM_REASONS) and is_configured()


def plain_sentence(evidence: ReasonEvidence) -> str:
    """The evidence in our own words."""
    if not evidence.causes:
        return ""
    first = evidence.causes[0]
    if len(evidence.causes) == 1:
        return _("%(n)s %% of what speaks for it comes from %(title)s.") % {
            "n": first.percentage,
            "title": first.title,
        }
    second = evidence.causes[1]
    words = _("%(n)s %% of what speaks for it comes from %(title)s, %(m)s %% from %(other)s.")
    return words % {
        "n": first.percentage,
        "title": first.title,
        "m": second.percentage,
        "other": second.title,
    }


def phrased(evidence: ReasonEvidence) -> str:
    """A sentence for the evidence: the model's where it holds, else the plain one."""
    plain = plain_sentence(evidence)
    if not plain or not is_on():
        return plain
    found = asked(
        PROMPT,
        system=SYSTEM,
        said=json.dumps(asdict(evidence), default=str, ensure_ascii=False),
        read=lambda content: checked(content, evidence),
        is_json=False,
    )
    return found or plain


def checked(content: str, evidence: ReasonEvidence) -> str:
    """``content`` as it may be shown; BadAnswerError where it says more than the evidence."""
    sentence = content.strip()
    if not sentence or len(sentence) > MAX_LENGTH or "\n" in sentence:
        raise BadAnswerError("not one sentence")
    titles = [evidence.title, *(cause.title for cause in evidence.causes)]
    rest, named = _without_titles(sentence, titles)
    if not any(title in named for title in titles[1:]):
        raise BadAnswerError("names none of the films that speak for it")
    for word in re.findall(r"[^\W\d_]+", rest.casefold()):
        if word not in PLAIN_WORDS:
            raise BadAnswerError(f"says more than the evidence: {word!r}")
    signs = set(re.sub(r"[\w\s]", "", rest)) - set(named.values())
    if signs - set(".,:;!%'’\"“”-–—()"):
        raise BadAnswerError("holds signs that no sentence needs")
    for number in re.finditer(r"(\d+(?:[.,]\d+)?)\s*(%|per ?cent|stars?)?", rest):
        if not _is_given(number, rest, named, evidence):
            raise BadAnswerError(f"a number that is not that film's: {number.group(1)}")
    return sentence


# A title that was taken out leaves one of these, numbered, of the private use area of Unicode.
_MARK = 0xE000


def _without_titles(sentence: str, titles: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The sentence with marks for titles, longest first; which mark stands for each that is there.

    Titles count as whole words only: "Heat" is not in "Heath".
    """
    named = {}
    for i, title in enumerate(sorted(set(titles), key=len, reverse=True)):
        mark = chr(_MARK + i)
        pattern = rf"(?<!\w){re.escape(title)}(?!\w)"
        sentence, n = re.subn(pattern, mark, sentence, flags=re.IGNORECASE)
        if n:
            named[title] = mark
    for mark in named.values():
        sentence = sentence.replace(mark, f" {mark} ")
    return sentence, named


def _is_given(
    number: re.Match[str], rest: str, named: dict[str, str], evidence: ReasonEvidence
) -> bool:
    """Whether the number is the stars or the share of the film that is named nearest to it."""
    value = Decimal(number.group(1).replace(",", "."))
    unit = number.group(2) or ""
    marks = [
        (abs(found.start() - number.start()), title)
        for title, mark in named.items()
        for found in re.finditer(re.escape(mark), rest)
    ]
    nearest = min(marks)[1]
    for cause in evidence.causes:
        if cause.title != nearest:
            continue
        if unit.startswith("star"):
            return cause.stars is not None and value == cause.stars
        return bool(unit) and value == cause.percentage
    return False
