"""What the OpenAPI document says beyond what views declare: identity, errors, keys, examples."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from accounts.api.endings import Ending
from accounts.api.idempotency import KEY_PATTERN
from config.error_codes import CODES, NAMES

EXAMPLES = Path(__file__).with_name("api_examples.yaml")
WRITES = {"post", "put", "patch", "delete"}
METHODS = {"get", *WRITES}
_JSON = "application/json"
_ERROR = {"$ref": "#/components/schemas/Error"}

# Some letter that str.strip() leaves. It takes four separators and a control for blank that \s of
# ECMA 262, the language of patterns here, does not know, and not the byte order mark, which \s is.
NOT_BLANK = r"[^\s\x1c-\x1f\x85]|\ufeff"


class TokenScheme(OpenApiAuthenticationExtension):
    """Personal tokens, with the scopes that an operation needs."""

    target_class = "accounts.api.authentication.TokenAuthentication"
    name = "personalToken"

    def get_security_requirement(self, auto_schema: AutoSchema) -> Any:
        """None where only somebody who logged in may ask."""
        view: Any = auto_schema.view
        if view.needs_login:
            return None
        return {self.name: view.scopes_needed(auto_schema.method)}

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """As OpenAPI has it."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal token, made at /settings/tokens/ or by `tokens_create`. "
            "An operation lists the scopes that it needs: `read`, `write`, `staff`.",
        }


class AppScheme(OpenApiAuthenticationExtension):
    """Sessions of apps."""

    target_class = "accounts.api.authentication.AppAuthentication"
    name = "appSession"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """As OpenAPI has it."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-Session-Token",
            "description": "`meta.session_token` of a log-in or sign-up at /_allauth/app/v1/auth/.",
        }


class BrowserScheme(OpenApiAuthenticationExtension):
    """Sessions of browsers."""

    target_class = "accounts.api.authentication.BrowserAuthentication"
    name = "browserSession"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """As OpenAPI has it."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The pages' own session; writes send its CSRF token as X-CSRFToken. "
            "In production the cookie is named `__Host-sessionid`.",
        }


class OperationSchema(AutoSchema):
    """An operation, with its end where it has one."""

    def is_deprecated(self) -> bool:
        """Whether something else replaces it."""
        return self._ending() is not None

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        """The handler's docstring, and when the operation ends."""
        said, ending = super().get_description(), self._ending()
        return f"{said}\n\n{ending.said()}" if ending else said

    def get_extensions(self) -> dict[str, Any]:
        """``x-sunset``: from that day on it may be missing (config.api_changes)."""
        ending = self._ending()
        found = super().get_extensions()
        return {**found, "x-sunset": ending.until.isoformat()} if ending else found

    def _ending(self) -> Ending | None:
        return getattr(self.view, "endings", {}).get(self.method)


def complete(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Adds to every operation what all of its kind share; a hook of drf-spectacular."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Error"] = _error_schema()
    components["responses"] = {NAMES[status]: _error_response(status) for status in NAMES}
    components["parameters"] = _parameters()
    for name, schema in components["schemas"].items():
        if name.endswith("Request"):
            for field in schema.get("properties", {}).values():
                _demand_a_mark(field)
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if method in METHODS:
                for parameter in operation.get("parameters", []):
                    _demand_a_mark(parameter["schema"])
                _complete_operation(operation, method=method, has_place="{" in path)
    return result


def _demand_a_mark(schema: dict[str, Any]) -> None:
    """A text that must not be empty is read without the blanks around it: blanks alone are none."""
    schema = schema.get("items", schema)
    if schema.get("minLength") and not {"enum", "pattern", "format"} & schema.keys():
        schema["pattern"] = NOT_BLANK


def _complete_operation(operation: dict[str, Any], *, method: str, has_place: bool) -> None:
    responses = operation["responses"]
    for status, response in responses.items():
        if int(status) >= 400 and "content" not in response:
            response["content"] = {_JSON: {"schema": _ERROR}}
    for status in _statuses(operation, method=method, has_place=has_place):
        responses.setdefault(str(status), {"$ref": f"#/components/responses/{NAMES[status]}"})
    parameters = operation.setdefault("parameters", [])
    if method in WRITES:
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    else:
        parameters.append({"$ref": "#/components/parameters/IfNoneMatch"})
        responses["304"] = {"description": "The caller has this very answer already."}
    operation["responses"] = dict(sorted(responses.items()))
    _add_examples(operation)


def _statuses(operation: dict[str, Any], *, method: str, has_place: bool) -> list[int]:
    """The errors that an operation of this kind may answer."""
    found = [401, 403, 406, 429, 500, 503]
    if has_place:
        found.append(404)
    if "requestBody" in operation:
        found += [413, 415]
    if method in WRITES:
        found += [400, 409, 422]
    elif operation.get("parameters"):
        found.append(400)
    return sorted(found)


def _add_examples(operation: dict[str, Any]) -> None:
    known = _examples().get(operation["operationId"], {})
    sent = operation.get("requestBody", {}).get("content", {})
    if "request" in known and _JSON in sent:
        sent[_JSON]["example"] = known["request"]
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get(_JSON)
        if content is not None and "response" in known and status.startswith("2"):
            content["example"] = known["response"]


@cache
def _examples() -> dict[str, dict[str, Any]]:
    """Requests and real answers by operation, as the tests record them."""
    return yaml.safe_load(EXAMPLES.read_text()) or {}


def _error_schema() -> dict[str, Any]:
    codes = [code for by_code in CODES.values() for code in by_code]
    return {
        "type": "object",
        "description": "What went wrong. Clients go by `code`, people by `message`.",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "fields"],
                "properties": {
                    "code": {
                        "type": "string",
                        "description": f"One of: {', '.join(codes)}. More may be added.",
                    },
                    "message": {"type": "string"},
                    "fields": {
                        "type": "object",
                        "additionalProperties": True,
                        "description": "Field name -> what is wrong with it, for `invalid`.",
                    },
                },
            }
        },
    }


def _error_response(status: int) -> dict[str, Any]:
    said = " ".join(f"`{code}`: {meaning}" for code, meaning in CODES[status].items())
    code, meaning = next(iter(CODES[status].items()))
    fields = {"stars": ["A valid number is required."]} if code == "invalid" else {}
    example = {"error": {"code": code, "message": meaning, "fields": fields}}
    response: dict[str, Any] = {
        "description": said,
        "content": {_JSON: {"schema": _ERROR, "example": example}},
    }
    if status in (429, 503):
        response["headers"] = {
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}
        }
    return response


def _parameters() -> dict[str, Any]:
    return {
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "Made by the client, new for every act: sent again with the same "
            "request within 24 hours, the act happens once and the answer is the same.",
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": 200,
                "pattern": KEY_PATTERN,
            },
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "description": "The ETag of an answer that the client still has.",
            "schema": {"type": "string"},
        },
    }
