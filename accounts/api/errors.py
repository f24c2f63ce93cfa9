"""What an operation refuses, each with a code that clients may rely on (docs/api.md lists them)."""

from __future__ import annotations

from rest_framework import exceptions, status


class Conflict(exceptions.APIException):
    """What was asked contradicts something that was done before."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"
    default_detail = "This event id was already used for another event."


class BodyTooLarge(exceptions.APIException):
    """More than an operation reads."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The body may hold {limit_bytes:,} bytes at most. Send less at once.")


class BadKey(exceptions.APIException):
    """An Idempotency-Key that is none."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "invalid_idempotency_key"
    default_detail = "An Idempotency-Key is 1 to 200 printable ASCII characters; a UUID is best."


class KeyInUse(exceptions.APIException):
    """The same key, while the first request with it is still at work."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "in_progress"
    default_detail = "A request with this Idempotency-Key is at work. Ask again in a moment."


class KeyReused(exceptions.APIException):
    """The same key for something else."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key belongs to another request. Take a new one."


class MissingScope(exceptions.PermissionDenied):
    """The token may not do this."""

    default_code = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This token lacks the scope {scope}. Make one that has it.")


class LoginNeeded(exceptions.PermissionDenied):
    """What only a person does who has logged in, never a program with a personal token."""

    default_code = "login_required"
    default_detail = "A personal token cannot do this. Log in, in a browser or an app."


class ProofNeeded(exceptions.PermissionDenied):
    """What only happens right after the password or the second factor was given once more."""

    default_code = "reauthentication_required"
    default_detail = (
        "Confirm who you are, then ask again: in a browser at /accounts/reauthenticate/, "
        "in an app by a POST to /_allauth/app/v1/auth/reauthenticate."
    )


class NothingToDo(exceptions.APIException):
    """The job is not at a point where this can be asked of it."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "nothing_to_do"
    default_detail = "There is nothing to do. Look at the job's state first."


class UnderWay(exceptions.APIException):
    """A worker is at the job, or will be."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "under_way"
    default_detail = "The job is under way. Wait until it has stopped."


class Expired(exceptions.APIException):
    """It was there."""

    status_code = status.HTTP_410_GONE
    default_code = "expired"
    default_detail = "This export has expired and was deleted. Ask for a new one."
