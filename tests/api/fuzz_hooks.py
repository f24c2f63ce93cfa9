"""What schemathesis is told of this API (``SCHEMATHESIS_HOOKS``, its own process): log-in, rules.

A rule that no schema can say (a day that has not come, a source that nobody trained) refuses what
the document allows. Each such refusal is named here with its field; any other one is a failure.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from typing import Any

import requests
import schemathesis

#: Of accounts.api.idempotency, which this process cannot import.
KEY_PATTERN = r"^[\x21-\x7e]{1,200}$"
#: Operation -> the fields that may be refused although their values fit the document, and why.
REFUSED_BY_RULE: dict[str, dict[str, str]] = {
    "*": {
        "cursor": "only what next or previous said is one",
        "source": "names a source that has a model just now",
        "recommender": "names a source that has a model just now",
        "chip": "a condition in the search's own short form",
        "chips": "a condition in the search's own short form",
        "year_to": "not before year_from",
        "runtime_to": "not before runtime_from",
    },
    "diary_add": {"watched_on": "not a day to come", "movie_id": "a film that there is"},
    "quiz_answer": {"genres": "slugs of genres that there are"},
    "imports_create": {"file": "of a format that is read, and not too many under way"},
    "imports_films_choose": {"movie_id": "a film that there is"},
    "lists_create": {"name": "200 lists are enough"},
    "lists_put_film": {"non_field_errors": "1,000 films are enough"},
    "tokens_create": {"non_field_errors": "50 tokens are enough; staff's scope is for staff"},
    "experiments_create": {"non_field_errors": "policies that there are, a name that is free"},
}
#: Judges each of its events for itself: a wrong one is refused in an answer of 200.
JUDGES_EACH = {"feedback_send"}


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """A right key is new for every act: schemathesis takes the same again and again."""
    key = (case.headers or {}).get("Idempotency-Key", "")
    if isinstance(key, str) and re.fullmatch(KEY_PATTERN, key):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Whether it is one: False for a refusal by a rule that is named above."""
    operation = case.operation.definition.raw["operationId"]
    try:
        said = json.loads(response.content)
    except ValueError:
        return True
    if failure.code == "ST202" and response.status_code == 400:
        error = said["error"]
        by_rule = REFUSED_BY_RULE["*"] | REFUSED_BY_RULE.get(operation, {})
        return error["code"] != "invalid" or not _named(error["fields"]) <= set(by_rule)
    if failure.code == "ST201" and operation in JUDGES_EACH:
        return said["refused"] == 0
    return True


def _named(fields: dict[str, Any]) -> set[str]:
    """The fields that were refused, those of a part of the body by their own names."""
    named = set()
    for name, said in fields.items():
        is_part = isinstance(said, dict) and not any(key.isdecimal() for key in said)
        named |= _named(said) if is_part else {name}
    return named


if os.environ.get("FUZZ_EMAIL"):

    @schemathesis.auth(refresh_interval=3600)
    class Session:
        """An app's log-in that was proven a moment ago; again when it was ended on the way."""

        def get(self, _case: Any, _context: Any) -> str:
            """The session's token."""
            auth = f"{os.environ['FUZZ_URL']}/_allauth/app/v1/auth"
            password = {"password": os.environ["FUZZ_PASSWORD"]}
            login = {"email": os.environ["FUZZ_EMAIL"], **password}
            answer = requests.post(f"{auth}/login", json=login, timeout=60)
            token = answer.json()["meta"]["session_token"]
            headers = {"X-Session-Token": token}
            url = f"{auth}/reauthenticate"
            proven = requests.post(url, json=password, headers=headers, timeout=60)
            return proven.json()["meta"].get("session_token", token)

        def set(self, case: Any, data: str, _context: Any) -> None:
            """As apps send it."""
            case.headers["X-Session-Token"] = data
