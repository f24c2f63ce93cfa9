"""Log lines that can be joined to a request, and that nobody can forge."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from typing import Any

import structlog

request_id_var: ContextVar[str] = ContextVar("request_id", default="-")
request_var: ContextVar[Any] = ContextVar("request", default=None)


# Line breaks of every kind, and what a terminal would obey.
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]
_ESCAPED = {code: repr(chr(code))[1:-1] for code in _CONTROLS}


class RequestIdFilter(logging.Filter):
    """Adds ``request_id``, ``user_id`` and ``model_version`` to every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id_var.get()
        record.user_id = _user_id()
        record.model_version = self.model_version()
        return True

    @staticmethod
    def model_version() -> str:
        """What this process serves. Logging is set up before there are models to import."""
        served = getattr(sys.modules.get("recommendations.snapshot"), "served_version", None)
        return served() if served is not None else ""


def _user_id() -> int | None:
    """Of whoever the request was found to be from; no line of the log costs a query for it."""
    person = getattr(request_var.get(), "_cached_user", None)
    return getattr(person, "pk", None)


def json_formatter() -> logging.Formatter:
    """One record, one line of JSON, for whoever gathers logs."""
    stdlib, processors = structlog.stdlib, structlog.processors
    return stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            stdlib.add_logger_name,
            stdlib.add_log_level,
            processors.TimeStamper(fmt="iso", utc=True, key="at"),
            stdlib.ExtraAdder(allow=["request_id", "user_id", "model_version", "status_code"]),
        ],
        processors=[
            stdlib.ProcessorFormatter.remove_processors_meta,
            processors.format_exc_info,
            processors.JSONRenderer(),
        ],
    )


class LineFormatter(logging.Formatter):
    """One record, one line: line breaks in user input cannot start a second record."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = record.message.translate(_ESCAPED)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """A traceback has lines of its own; each is set in, so that none can pass for a record."""
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"  | {line.translate(_ESCAPED)}" for line in lines)
