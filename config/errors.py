"""Errors to Sentry (or what speaks like it), where an operator asks for it; nothing of people.

Off unless ``SENTRY_DSN`` is set: without it the library is not even imported. What is sent is what
went wrong and where: the traceback without values of variables, the route, the request's id, the
model version. No person, address, cookie, header, body, query, breadcrumb or task argument.
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings

from config.logs import RequestIdFilter, request_id_var

#: What of an event may leave; everything else is dropped, also what later versions add.
KEPT = frozenset(
    {
        *("event_id", "timestamp", "platform", "level", "logger", "release", "environment"),
        *("sdk", "exception", "logentry", "transaction", "tags", "contexts"),
    }
)
KEPT_CONTEXTS = frozenset({"runtime"})
KEPT_FRAME = ("filename", "function", "module", "lineno", "context_line", "in_app")
_ADDRESS = re.compile(r"[^\s@<>\"'(=]+@[^\s@<>\"')]+")
# Postgres tells the values of the row that offended: "Key (email)=(ada@...) already exists."
_DETAIL = re.compile(r"\n(DETAIL|CONTEXT|HINT|LINE \d+):.*", re.DOTALL)


def start() -> None:
    """Called once per process, when Django is set up."""
    if not settings.SENTRY_DSN:
        return
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        server_name="marquee",
        traces_sample_rate=None,
        before_send=scrubbed,
    )


def scrubbed(event: Any, _hint: dict[str, Any]) -> Any:
    """The event with what may leave, and with what joins it to the logs here."""
    kept = {name: value for name, value in event.items() if name in KEPT}
    contexts = kept.get("contexts") or {}
    kept["contexts"] = {name: contexts[name] for name in KEPT_CONTEXTS if name in contexts}
    kept["tags"] = {
        "request_id": request_id_var.get(),
        "model_version": RequestIdFilter.model_version(),
    }
    for error in (kept.get("exception") or {}).get("values") or []:
        error["value"] = nameless(str(error.get("value") or ""))
        error.pop("mechanism", None)
        frames = (error.get("stacktrace") or {}).get("frames") or []
        error["stacktrace"] = {
            "frames": [
                {name: frame[name] for name in KEPT_FRAME if name in frame} for frame in frames
            ]
        }
    if "logentry" in kept:
        # The words of the code, without what was put into them.
        kept["logentry"] = {"message": nameless(str(kept["logentry"].get("message") or ""))}
    return kept


def nameless(text: str) -> str:
    """Without e-mail addresses and without the values that Postgres repeats."""
    return _ADDRESS.sub("[address]", _DETAIL.sub("", text))
