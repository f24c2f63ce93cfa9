"""One question to a language model behind any OpenAI-compatible endpoint, timed and logged."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from django.conf import settings

from catalog.llm.models import LlmCall

logger = logging.getLogger(__name__)
MAX_ANSWER_BYTES = 64 * 1024
Read = TypeVar("Read")


class BadAnswerError(ValueError):
    """The answer is not what the prompt asks for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said, and what it cost."""

    content: str
    prompt_tokens: int | None
    answer_tokens: int | None


def is_configured() -> bool:
    """Whether there is a model to ask."""
    return bool(settings.LLM_BASE_URL and settings.LLM_MODEL)


def asked(
    prompt: str, *, system: str, said: str, read: Callable[[str], Read], is_json: bool
) -> Read | None:
    """What ``read`` makes of the model's answer; None where there is none that holds.

    ``read`` raises BadAnswerError. Every call is logged under the name ``prompt``.
    """
    started = time.monotonic()
    answer, found = None, None
    try:
        answer = _ask(system, said, is_json=is_json)
        found = read(answer.content)
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
        prompt=prompt,
        model=settings.LLM_MODEL,
        outcome=outcome,
        latency_ms=round(1000 * (time.monotonic() - started)),
        prompt_tokens=answer.prompt_tokens if answer else None,
        answer_tokens=answer.answer_tokens if answer else None,
    )
    return found


def _ask(system: str, said: str, *, is_json: bool) -> Answer:
    headers = {"Authorization": f"Bearer {settings.LLM_API_KEY}"} if settings.LLM_API_KEY else {}
    body: dict[str, Any] = {
        "model": settings.LLM_MODEL,
        "temperature": 0,
        "max_tokens": 400,
        **({"response_format": {"type": "json_object"}} if is_json else {}),
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": said},
        ],
    }
    deadline = time.monotonic() + settings.LLM_TIMEOUT_S
    with requests.Session() as session, _posted(session, body, headers) as response:
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


def _posted(session: requests.Session, body: dict, headers: dict[str, str]) -> requests.Response:
    """To the configured address and nowhere else: no redirect, no proxy, no ``.netrc``."""
    session.trust_env = False
    return session.post(
        f"{settings.LLM_BASE_URL.rstrip('/')}/chat/completions",
        json=body,
        headers=headers,
        timeout=settings.LLM_TIMEOUT_S,
        allow_redirects=False,
        stream=True,
    )


def _opened(data: bytes) -> Answer:
    try:
        body = json.loads(data)
        content = body["choices"][0]["message"]["content"]
        usage = body.get("usage") or {}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadAnswerError("not a chat completion") from error
    if not isinstance(content, str) or not isinstance(usage, dict):
        raise BadAnswerError("not a chat completion")
    return Answer(content, _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))


def _count(usage: dict[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and 0 <= value < 2**31 else None
