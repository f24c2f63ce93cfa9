"""What between two OpenAPI documents would break a client that was written for the first.

A client breaks where something it may use is gone (operation, parameter, answer, field, value of
an enumeration it may send) or where something new is demanded of it. Additions don't break: clients
are told to pass over fields, values and codes that they don't know (docs/api.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

METHODS = {"get", "post", "put", "patch", "delete"}
_REF = "#/"


def breaking_changes(
    before: dict[str, Any], after: dict[str, Any], *, today: date | None = None
) -> list[str]:
    """One sentence per change, sorted; empty where every old client goes on working.

    An operation whose end was told (``x-sunset``) may be gone from that day on.
    """
    found: set[str] = set()
    day = (today or datetime.now(tz=UTC).date()).isoformat()
    for path, operations in before["paths"].items():
        for method in sorted(METHODS & operations.keys()):
            name = f"{method.upper()} {path}"
            new = after["paths"].get(path, {}).get(method)
            if new is None:
                until = operations[method].get("x-sunset")
                if until is None:
                    found.add(f"{name} is gone")
                elif day < until:
                    found.add(f"{name} is gone before {until}")
                continue
            found.update(
                f"{name}: {said}" for said in _operation(operations[method], new, before, after)
            )
    return sorted(found)


def _operation(
    old: dict[str, Any], new: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> Iterator[str]:
    if old.get("operationId") != new.get("operationId"):
        yield f"its id {old.get('operationId')} became {new.get('operationId')}"
    yield from _parameters(old, new, before, after)
    yield from _body(old, new, before, after)
    for status, answer in old.get("responses", {}).items():
        if not status.startswith("2"):
            continue
        if status not in new.get("responses", {}):
            yield f"the answer {status} is gone"
            continue
        was = _schema_of(answer, before)
        now = _schema_of(new["responses"][status], after)
        yield from _Compared(before, after, is_sent=False).schema(was, now, f"answer {status}")
    for scheme in _ways_in(old) - _ways_in(new):
        yield f"{scheme} no longer opens it"


def _parameters(
    old: dict[str, Any], new: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> Iterator[str]:
    was = {_key(p): p for p in _resolved_all(old.get("parameters", []), before)}
    now = {_key(p): p for p in _resolved_all(new.get("parameters", []), after)}
    for key, parameter in was.items():
        if key not in now:
            yield f"the parameter {key[1]} is gone"
            continue
        compared = _Compared(before, after, is_sent=True)
        yield from compared.schema(
            parameter.get("schema", {}), now[key].get("schema", {}), f"parameter {key[1]}"
        )
    for key, parameter in now.items():
        is_demanded = parameter.get("required", False)
        if is_demanded and not was.get(key, {}).get("required", False):
            yield f"the parameter {key[1]} is required now"


def _body(
    old: dict[str, Any], new: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> Iterator[str]:
    was, now = old.get("requestBody"), new.get("requestBody")
    if now is None:
        return  # a body that nobody reads hurts nobody
    if was is None:
        if _resolved(now, after).get("required", False):
            yield "a body is required now"
        return
    compared = _Compared(before, after, is_sent=True)
    yield from compared.schema(_schema_of(was, before), _schema_of(now, after), "body")


class _Compared:
    """Two schemas, field by field. ``is_sent``: by the client, else to it."""

    def __init__(self, before: dict[str, Any], after: dict[str, Any], *, is_sent: bool) -> None:
        self.before, self.after, self.is_sent = before, after, is_sent
        self.seen: set[tuple[str, str]] = set()

    def schema(self, old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[str]:
        """What breaks between the two, ``where`` says of what."""
        names = (str(old.get("$ref")), str(new.get("$ref")))
        if "$ref" in old and names in self.seen:
            return
        self.seen.add(names)
        was, now = _resolved(old, self.before), _resolved(new, self.after)
        yield from self._kinds(was, now, where)
        yield from self._values(was, now, where)
        yield from self._fields(was, now, where)
        if "items" in was and "items" in now:
            yield from self.schema(was["items"], now["items"], f"{where}[]")

    def _kinds(self, was: dict[str, Any], now: dict[str, Any], where: str) -> Iterator[str]:
        old, new = _kinds_of(was, self.before), _kinds_of(now, self.after)
        if not old or not new:
            return
        lost = old - new if self.is_sent else new - old
        if lost:
            verb = "may no longer be" if self.is_sent else "may now be"
            yield f"{where} {verb} {', '.join(sorted(lost))}"

    def _values(self, was: dict[str, Any], now: dict[str, Any], where: str) -> Iterator[str]:
        # Of what the server sends, a new value is an addition, and one that is gone hurts nobody.
        if not self.is_sent or "enum" not in now:
            return
        gone = [value for value in was.get("enum", []) if value not in now["enum"]]
        if gone:
            yield f"{where} no longer takes {', '.join(map(str, gone))}"
        if "enum" not in was:
            yield f"{where} takes only some values now"

    def _fields(self, was: dict[str, Any], now: dict[str, Any], where: str) -> Iterator[str]:
        old, new = was.get("properties", {}), now.get("properties", {})
        for name, schema in old.items():
            if name not in new:
                if old and new:
                    yield f"{where}.{name} is gone"
                continue
            yield from self.schema(schema, new[name], f"{where}.{name}")
        must_before, must_now = set(was.get("required", [])), set(now.get("required", []))
        for name in sorted(must_now - must_before) if self.is_sent else []:
            yield f"{where}.{name} is required now"
        for name in sorted((must_before - must_now) & new.keys()) if not self.is_sent else []:
            yield f"{where}.{name} may be missing now"


def _resolved(node: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The node that a reference names, a lone ``allOf`` unpacked; the node itself otherwise."""
    while True:
        if "$ref" in node:
            found: Any = document
            for part in node["$ref"].removeprefix(_REF).split("/"):
                found = found[part]
            node = found
        elif len(node.get("allOf", [])) == 1:
            node = node["allOf"][0]
        else:
            return node


def _resolved_all(nodes: list[dict[str, Any]], document: dict[str, Any]) -> list[dict[str, Any]]:
    return [_resolved(node, document) for node in nodes]


def _schema_of(node: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    content = _resolved(node, document).get("content", {})
    first: dict[str, Any] = next(iter(content.values()), {})
    return first.get("schema", {})


def _kinds_of(node: dict[str, Any], document: dict[str, Any]) -> set[str]:
    """The JSON types that a value may have; empty where the schema does not say."""
    kinds: set[str] = set()
    for part in node.get("oneOf", node.get("anyOf", [])):
        kinds |= _kinds_of(_resolved(part, document), document)
    given = node.get("type", [])
    return kinds | (set(given) if isinstance(given, list) else {given})


def _key(parameter: dict[str, Any]) -> tuple[str, str]:
    return parameter["in"], parameter["name"]


def _ways_in(operation: dict[str, Any]) -> set[str]:
    return {name for way in operation.get("security", []) for name in way}
