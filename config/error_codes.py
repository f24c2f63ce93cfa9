"""Every ``error.code`` that the API answers: stable, and listed in docs/api.md and the schema."""

from __future__ import annotations

CODES: dict[int, dict[str, str]] = {
    400: {
        "invalid": "Fields are wrong; `fields` says which and why.",
        "parse_error": "The body is no JSON.",
        "invalid_idempotency_key": "An Idempotency-Key is 1 to 200 printable ASCII characters.",
    },
    401: {
        "not_authenticated": "Nobody has said who asks.",
        "invalid_token": "The personal token does not exist, has ended or was revoked.",
        "invalid_session": "The app's session has ended, or is not logged in yet.",
    },
    403: {
        "permission_denied": "The caller may not do this.",
        "csrf_failed": "A browser's write needs the X-CSRFToken header and a referer of this site.",
        "insufficient_scope": "The personal token lacks a scope; the message names it.",
        "login_required": "No personal token can do this: log in.",
        "reauthentication_required": "Give password or second factor once more, then ask again.",
        "second_factor_required": "Staff accounts need a second factor: set one up on the site.",
    },
    404: {"not_found": "There is no such thing, or it is somebody else's."},
    405: {"method_not_allowed": "The address exists; it does not know this method."},
    406: {"not_acceptable": "Answers are JSON; `Accept` asks for something else."},
    409: {
        "conflict": "The event id was used before, for something else.",
        "in_progress": "A request with this Idempotency-Key is at work.",
        "refused": "The model version cannot be served; the message says why.",
        "not_running": "Only a training that runs can be stopped.",
        "nothing_to_do": "The job is not at a point where this can be asked of it.",
        "under_way": "A worker is at the job: wait until it has stopped.",
    },
    410: {"expired": "The export has expired and was deleted: ask for a new one."},
    413: {"too_large": "The body is larger than the operation reads."},
    415: {"unsupported_media_type": "Bodies are JSON: send `Content-Type: application/json`."},
    422: {"idempotency_key_reused": "This Idempotency-Key belongs to another request."},
    429: {"throttled": "Too many requests; `Retry-After` says how many seconds to wait."},
    500: {"server_error": "Something broke on our side; `X-Request-ID` finds it in the log."},
    503: {
        "queue_unreachable": "The queue of tasks cannot be reached; nothing was started.",
        "unavailable": "The database cannot be reached; `Retry-After` says when to ask again.",
        "overloaded": "Too many people ask at this moment; `Retry-After` says when to ask again.",
    },
}

NAMES = {
    400: "BadRequest",
    401: "NotAuthenticated",
    403: "Forbidden",
    404: "NotFound",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Gone",
    413: "TooLarge",
    415: "UnsupportedMediaType",
    422: "KeyReused",
    429: "Throttled",
    500: "ServerError",
    503: "Unavailable",
}
