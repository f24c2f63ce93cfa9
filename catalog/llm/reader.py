"""A request read by a language model behind any OpenAI-compatible endpoint.

Whatever the model says is checked: conditions by the same reader as an address's chips, people and
films by the catalogue, so it cannot name a film that is not there. A late, broken or wrong answer
is as good as none: the caller has the local parser.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from django.conf import settings

from catalog.genres import PRECEDENCE
from catalog.intent import Chip, Kind, Names, Reading
from catalog.intent.words import CERTIFICATIONS
from catalog.llm.models import LlmCall

logger = logging.getLogger(__name__)
PROMPT = "intent-1"
MAX_ANSWER_BYTES = 64 * 1024
MAX_CHIPS = 12


class BadAnswerError(ValueError):
    """The answer is not what the prompt asks for."""


@dataclass(frozen=True, slots=True)
class _Answer:
    content: str
    prompt_tokens: int | None
    answer_tokens: int | None


def is_configured() -> bool:
    """Whether there is a model to ask."""
    return bool(settings.LLM_BASE_URL and settings.LLM_MODEL)


def read_by_llm(raw: str, *, names: Names, this_year: int) -> Reading | None:
    """The request's reading; None where the model gave none that holds. Every call is logged."""
    started = time.monotonic()
    answer = None
    reading = None
    try:
        answer = _ask(raw, this_year=this_year)
        reading = reading_of(raw, answer.content, names=names)
        outcome = LlmCall.Outcome.OK
    except requests.Timeout:
        outcome = LlmCall.Outcome.TIMEOUT
    except requests.RequestException as error:
        logger.warning("The language model cannot be reached: %s", type(error).__name__)
        outcome = LlmCall.Outcome.UNREACHABLE
    except BadAnswerError as error:
        logger.warning("The language model's answer is of no use: %s", error)
        outcome = LlmCall.Outcome.INVALID
    LlmCall.objects.create(
        prompt=PROMPT,
        model=settings.LLM_MODEL,
        outcome=outcome,
        latency_ms=round(1000 * (time.monotonic() - started)),
        prompt_tokens=answer.prompt_tokens if answer else None,
        answer_tokens=answer.answer_tokens if answer else None,
    )
    return reading


def prompt_text(*, this_year: int) -> str:
    """The versioned prompt, with our genres and the year in it."""
    path = Path(__file__).parent / "prompts" / f"{PROMPT}.txt"
    text = path.read_text(encoding="utf-8")
    return text.replace("{genres}", ", ".join(PRECEDENCE)).replace("{year}", str(this_year))


def _ask(raw: str, *, this_year: int) -> _Answer:
    headers = {"Authorization": f"Bearer {settings.LLM_API_KEY}"} if settings.LLM_API_KEY else {}
    body: dict[str, Any] = {
        "model": settings.LLM_MODEL,
        "temperature": 0,
        "max_tokens": 400,
        "response_format": {"type": "json_object"},
        "messages": [
            {"role": "system", "content": prompt_text(this_year=this_year)},
            {"role": "user", "content": raw},
        ],
    }
    deadline = time.monotonic() + settings.LLM_TIMEOUT_S
    with requests.post(
        f"{settings.LLM_BASE_URL.rstrip('/')}/chat/completions",
        json=body,
        headers=headers,
        timeout=settings.LLM_TIMEOUT_S,
        allow_redirects=False,
        stream=True,
    ) as response:
        if response.status_code != requests.codes.ok:
            msg = f"status {response.status_code}"
            raise BadAnswerError(msg)
        data = bytearray()
        for block in response.iter_content(8192):
            data += block
            if len(data) > MAX_ANSWER_BYTES:
                raise BadAnswerError("too long")
            if time.monotonic() > deadline:  # a drip never times out by itself
                raise requests.Timeout
    return _opened(bytes(data))


def _opened(data: bytes) -> _Answer:
    try:
        body = json.loads(data)
        content = body["choices"][0]["message"]["content"]
        usage = body.get("usage") or {}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadAnswerError("not a chat completion") from error
    if not isinstance(content, str) or not isinstance(usage, dict):
        raise BadAnswerError("not a chat completion")
    return _Answer(content, _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))


def _count(usage: dict[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and 0 <= value < 2**31 else None


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
