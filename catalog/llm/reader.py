"""A request read by a language model behind any OpenAI-compatible endpoint.

Whatever the model says is checked: conditions by the same reader as an address's chips, people and
films by the catalogue, so it cannot name a film that is not there. A late, broken or wrong answer
is as good as none: the caller has the local parser.
"""

from __future__ import annotations

import json
from pathlib import Path

from catalog.genres import PRECEDENCE
from catalog.intent import Chip, Kind, Names, Reading
from catalog.intent.words import CERTIFICATIONS
from catalog.llm.client import BadAnswerError, asked, is_configured

__all__ = ["is_configured", "prompt_text", "read_by_llm", "reading_of"]

PROMPT = "intent-1"
MAX_CHIPS = 12


def read_by_llm(raw: str, *, names: Names, this_year: int) -> Reading | None:
    """The request's reading; None where the model gave none that holds. Every call is logged."""
    return asked(
        PROMPT,
        system=prompt_text(this_year=this_year),
        said=raw,
        read=lambda content: reading_of(raw, content, names=names),
        is_json=True,
    )


def prompt_text(*, this_year: int) -> str:
    """The versioned prompt, with our genres and the year in it."""
    path = Path(__file__).parent / "prompts" / f"{PROMPT}.txt"
    text = path.read_text(encoding="utf-8")
    return text.replace("{genres}", ", ".join(PRECEDENCE)).replace("{year}", str(this_year))


def reading_of(raw: str, content: str, *, names: Names) -> Reading:
    """The model's JSON as a reading; BadAnswerError where its shape is wrong.

    A person or film that the catalogue does not know is dropped; its words stay in the text.
    """
    try:
        body = json.loads(content)
    except ValueError as error:
        raise BadAnswerError("not JSON") from error
    if not isinstance(body, dict) or set(body) - {"chips", "text"}:
        raise BadAnswerError("not the object asked for")
    entries, text = body.get("chips", []), body.get("text", "")
    if not isinstance(entries, list) or len(entries) > MAX_CHIPS or not isinstance(text, str):
        raise BadAnswerError("not the object asked for")
    chips: list[Chip] = []
    for entry in entries:
        chip, unknown = _chip(entry, names)
        if chip is not None and chip not in chips:
            chips.append(chip)
        if unknown:
            text = f"{text} {unknown}"
    return Reading(raw=raw, chips=tuple(chips), text=" ".join(text.split())[:400])


def _chip(entry: object, names: Names) -> tuple[Chip | None, str]:
    """(the chip, or the words of a name that nobody knows)."""
    if not isinstance(entry, dict) or not {"kind", "value"} <= set(entry):
        raise BadAnswerError("a chip lacks its kind or value")
    kind, value, is_negated = entry["kind"], entry["value"], entry.get("is_negated", False)
    if kind not in set(Kind) or not isinstance(value, str) or not isinstance(is_negated, bool):
        raise BadAnswerError(f"no such chip: {kind!r}")
    if kind == Kind.LIKE:
        film = names.film(value)
        return (Chip(Kind.LIKE, film), "") if film else (None, value)
    if kind == Kind.PERSON:
        person = names.person(value, is_cued=True)
        return (Chip(Kind.PERSON, person, is_negated), "") if person else (None, value)
    chip = Chip.decoded(Chip(Kind(kind), value, is_negated).encoded())
    genres = {Kind.GENRE, Kind.MORE, Kind.LESS}
    if chip is None or (chip.kind in genres and set(value.split("|")) - set(PRECEDENCE)):
        raise BadAnswerError(f"no such value: {value[:40]!r}")
    if chip.kind is Kind.CERTIFICATION and value not in CERTIFICATIONS:
        raise BadAnswerError(f"no such mark: {value[:40]!r}")
    return chip, ""
