"""A Python client, generated from the OpenAPI document alone: it knows nothing of our code.

One method per operation, named by its id; parameters of the path and query and fields of the body
are keyword arguments, those that are required without a default. Every answer is checked against
the schema that the document gives for its status: a client that decodes by the document can rely
on it.
"""

from __future__ import annotations

import keyword
import uuid
from typing import Any

import requests
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FORM = "multipart/form-data"
METHODS = ("get", "post", "put", "patch", "delete")
HEAD = '''"""Generated from {title} {version}. Do not edit: generate it anew."""

from __future__ import annotations

UNSET = object()


class Client(Base):
'''
METHOD = '''
    def {name}({arguments}):
        """{summary}"""
        return self.call(
            {name!r}, {method!r}, {path!r},
            path_values={path_values},
            query={query},
            body={body},
            files={files},
            key=key,
        )
'''


def source_of(document: dict[str, Any]) -> str:
    """The client's source code."""
    parts = [HEAD.format(**document["info"])]
    for path, operations in sorted(document["paths"].items()):
        for method in METHODS:
            if method in operations:
                parts.append(_method(document, path, method, operations[method]))
    return "".join(parts)


def _method(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> str:
    parameters = [_resolved(p, document) for p in operation.get("parameters", [])]
    in_path = [p["name"] for p in parameters if p["in"] == "path"]
    query = [p for p in parameters if p["in"] == "query"]
    body, is_form = _body_of(operation, document)
    fields = list(body.get("properties", {}))
    required = [p["name"] for p in query if p.get("required")] + body.get("required", [])
    names = dict.fromkeys([*in_path, *(p["name"] for p in query), *fields])
    arguments = [_safe(n) for n in names if n in in_path or n in required]
    arguments += [f"{_safe(n)}=UNSET" for n in names if n not in in_path and n not in required]
    starred = ["self", "*", *arguments, "key=None"]
    return METHOD.format(
        name=operation["operationId"],
        arguments=", ".join(starred),
        summary=operation["summary"],
        method=method.upper(),
        path=path,
        path_values=_dict(in_path),
        query=_dict([p["name"] for p in query]),
        body=_dict(fields) if "requestBody" in operation and not is_form else None,
        files=_dict(fields) if is_form else None,
    )


def _dict(names: list[str]) -> str:
    return "{" + ", ".join(f"{name!r}: {_safe(name)}" for name in names) + "}"


def _safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) or name == "key" else name


def _resolved(node: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _body_of(operation: dict[str, Any], document: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The schema of the body, and whether it goes as a form with files."""
    content = operation.get("requestBody", {}).get("content", {})
    is_form = FORM in content
    kind = content.get(FORM if is_form else "application/json", {})
    return _resolved(kind.get("schema", {}), document), is_form


class ApiError(Exception):
    """The server refused; ``code`` says why."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(f"{status} {error}")
        self.status, self.code, self.fields = status, error["code"], error["fields"]


class Base:
    """What every generated method calls. ``calls`` are the requests and answers, in order."""

    unset: object = None

    def __init__(self, url: str, document: dict[str, Any], headers: dict[str, str]) -> None:
        self.url, self.document = url, document
        self.session = requests.Session()
        self.session.headers.update(headers)
        self.calls: list[tuple[str, Any, Any]] = []
        whole = Resource.from_contents(document, default_specification=DRAFT202012)
        self.registry = Registry().with_resource("urn:api", whole)
        self.operations = {
            operation["operationId"]: operation
            for operations in document["paths"].values()
            for method, operation in operations.items()
            if method in METHODS
        }

    def call(
        self,
        name: str,
        method: str,
        path: str,
        *,
        path_values: dict[str, Any],
        query: dict[str, Any],
        body: dict[str, Any] | None,
        files: dict[str, Any] | None,
        key: str | None,
    ) -> Any:
        """The decoded answer, or a file; ApiError for a refusal, AssertionError for another shape.

        ``files`` are pairs of name and content.
        """
        sent = None if body is None else self._set(body)
        headers = {"Idempotency-Key": key or str(uuid.uuid4())} if method != "GET" else {}
        answer = self.session.request(
            method,
            self.url + path.format(**path_values),
            params=self._set(query),
            json=sent,
            files=files,
            headers=headers,
            timeout=60,
        )
        kind = answer.headers.get("Content-Type", "")
        data: Any = answer.json() if kind == "application/json" else answer.content or None
        self._check(name, answer.status_code, data)
        if answer.status_code >= 400:
            raise ApiError(answer.status_code, data["error"])
        self.calls.append((name, sent, data))
        return data

    def _set(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if value is not self.unset}

    def _check(self, name: str, status: int, data: Any) -> None:
        answers = self.operations[name]["responses"]
        assert str(status) in answers, f"{name} answered {status}, which its schema does not list"
        content = _resolved(answers[str(status)], self.document).get("content")
        if not content:
            assert data is None, f"{name} answered a body where its schema says none"
            return
        if isinstance(data, bytes):
            assert "application/zip" in content, f"{name} answered a file"
            return
        schema = _anchored(content["application/json"]["schema"])
        validator = Draft202012Validator(schema, registry=self.registry)
        wrong = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(data)]
        assert not wrong, f"{name} {status}: {wrong[:5]}"


def _anchored(node: Any) -> Any:
    """References of the document's own, as seen from outside of it."""
    if isinstance(node, dict):
        return {
            name: f"urn:api{value}" if name == "$ref" else _anchored(value)
            for name, value in node.items()
        }
    return [_anchored(one) for one in node] if isinstance(node, list) else node


def client_of(url: str, document: dict[str, Any], headers: dict[str, str]) -> Any:
    """The generated client, alive."""
    space: dict[str, Any] = {"Base": Base}
    exec(compile(source_of(document), "generated_client.py", "exec"), space)  # noqa: S102 - what was generated here
    client = space["Client"](url, document, headers)
    client.unset = space["UNSET"]
    return client
