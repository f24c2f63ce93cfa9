"""The API's schema is complete: it validates, and nothing about it had to be guessed."""

from __future__ import annotations

from io import StringIO

import pytest
import yaml
from django.core.management import call_command

from config.schema import METHODS, WRITES

pytestmark = pytest.mark.django_db

ERROR = "#/components/schemas/Error"


@pytest.fixture(scope="module")
def schema():
    out = StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=out)
    return yaml.safe_load(out.getvalue())


@pytest.fixture(scope="module")
def operations(schema):
    """(method, path, operation) of all of them."""
    return [
        (method, path, operation)
        for path, by_method in schema["paths"].items()
        for method, operation in by_method.items()
        if method in METHODS
    ]


def test_the_schema_validates_without_a_warning(schema, operations):
    assert schema["openapi"].startswith("3.1")
    assert len(operations) > 60
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids))


def test_every_operation_says_what_it_does_and_shows_it(operations):
    lacking = []
    for method, path, operation in operations:
        for part in ("summary", "description", "tags"):
            if not operation.get(part):
                lacking.append(f"{method} {path} has no {part}")
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        # Of some acts nothing has to be said: {} is a whole body.
        if body is not None and "example" not in body and method != "put":
            lacking.append(f"{method} {path} shows no body")
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/json")
            if status.startswith("2") and content is not None and "example" not in content:
                lacking.append(f"{method} {path} shows no answer {status}")
    assert lacking == []


def test_every_operation_lists_its_errors_in_the_one_shape(schema, operations):
    for method, path, operation in operations:
        answers = operation["responses"]
        expected = {"401", "403", "406", "429", "500", "503"}
        expected |= {"400", "409", "422"} if method in WRITES else {"304"}
        expected |= {"404"} if "{" in path else set()
        expected |= {"413", "415"} if "requestBody" in operation else set()
        assert expected <= set(answers), f"{method} {path}"
        for status, answer in answers.items():
            if int(status) < 400:
                continue
            if "$ref" in answer:
                answer = schema["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
            assert answer["description"], f"{method} {path} {status}"
            content = answer["content"]["application/json"]
            assert content["schema"] == {"$ref": ERROR}, f"{method} {path} {status}"


def test_every_operation_says_who_may_ask_and_with_which_scope(operations):
    ways = {}
    for method, path, operation in operations:
        security = operation["security"]
        assert {"appSession": []} in security, f"{method} {path}"
        assert {"browserSession": []} in security, f"{method} {path}"
        scopes = [way["personalToken"] for way in security if "personalToken" in way]
        ways[operation["operationId"]] = scopes[0] if scopes else None
    assert ways["movies_list"] == ["read"]
    assert ways["ratings_set"] == ["write"]
    assert ways["recommend"] == ["read"]
    assert ways["models_activate"] == ["write", "staff"]
    assert ways["jobs_list"] == ["read", "staff"]
    needs_login = {name for name, scopes in ways.items() if scopes is None}
    assert needs_login == {
        *("tokens_list", "tokens_create", "tokens_revoke", "devices_end"),
        *("exports_list", "exports_create", "exports_retrieve", "exports_download"),
        *("deletion_retrieve", "deletion_request", "deletion_cancel"),
    }


def test_every_write_takes_a_key(operations):
    key = {"$ref": "#/components/parameters/IdempotencyKey"}
    for method, path, operation in operations:
        assert (key in operation["parameters"]) == (method in WRITES), f"{method} {path}"


def test_the_schema_is_served(client):
    answer = client.get("/api/v1/schema/")
    assert answer.status_code == 200
    assert "Marquee API" in answer.content.decode()
