"""What breaks a client is named; what does not is let through."""

from __future__ import annotations

import copy
from datetime import date

import pytest
import yaml
from django.core.management import call_command

from config.api_changes import breaking_changes
from config.management.commands.api_schema import DOCUMENT, document_now

REF = {"$ref": "#/components/schemas/Film"}
BASE = {
    "paths": {
        "/films/": {
            "get": {
                "operationId": "films",
                "parameters": [
                    {"in": "query", "name": "sort", "schema": {"enum": ["new", "old"]}},
                ],
                "security": [{"token": ["read"]}, {}],
                "responses": {
                    "200": {
                        "content": {"application/json": {"schema": {"type": "array", "items": REF}}}
                    }
                },
            },
            "post": {
                "operationId": "add",
                "requestBody": {"content": {"application/json": {"schema": REF}}},
                "responses": {"201": {"content": {"application/json": {"schema": REF}}}},
            },
        }
    },
    "components": {
        "schemas": {
            "Film": {
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "year": {"type": ["integer", "null"]},
                    "kind": {"enum": ["short", "long"]},
                },
                "required": ["title", "year"],
            }
        }
    },
}
GET, POST = "GET /films/", "POST /films/"


def film(document):
    return document["components"]["schemas"]["Film"]


def changed(change):
    after = copy.deepcopy(BASE)
    change(after)
    return breaking_changes(BASE, after)


def get(document):
    return document["paths"]["/films/"]["get"]


BREAKING = {
    "an operation is removed": (
        lambda d: d["paths"]["/films/"].pop("post"),
        [f"{POST} is gone"],
    ),
    "an address is removed": (
        lambda d: d["paths"].clear(),
        [f"{GET} is gone", f"{POST} is gone"],
    ),
    "an operation is renamed": (
        lambda d: get(d).update(operationId="movies"),
        [f"{GET}: its id films became movies"],
    ),
    "a field is removed": (
        lambda d: film(d)["properties"].pop("kind"),
        [
            f"{GET}: answer 200[].kind is gone",
            f"{POST}: answer 201.kind is gone",
            f"{POST}: body.kind is gone",
        ],
    ),
    "a field may be missing": (
        lambda d: film(d)["required"].remove("year"),
        [
            f"{GET}: answer 200[].year may be missing now",
            f"{POST}: answer 201.year may be missing now",
        ],
    ),
    "a field is demanded": (
        lambda d: film(d)["required"].append("kind"),
        [f"{POST}: body.kind is required now"],
    ),
    "a new field is demanded": (
        lambda d: (
            film(d)["properties"].update(x={"type": "string"}),
            film(d)["required"].append("x"),
        ),
        [f"{POST}: body.x is required now"],
    ),
    "a field changes its type": (
        lambda d: film(d)["properties"].update(title={"type": "integer"}),
        [
            f"{GET}: answer 200[].title may now be integer",
            f"{POST}: answer 201.title may now be integer",
            f"{POST}: body.title may no longer be string",
        ],
    ),
    "an answer may be null": (
        lambda d: film(d)["properties"].update(title={"type": ["string", "null"]}),
        [f"{GET}: answer 200[].title may now be null", f"{POST}: answer 201.title may now be null"],
    ),
    "a value is refused": (
        lambda d: get(d)["parameters"][0]["schema"]["enum"].remove("old"),
        [f"{GET}: parameter sort no longer takes old"],
    ),
    "a parameter is removed": (
        lambda d: get(d)["parameters"].clear(),
        [f"{GET}: the parameter sort is gone"],
    ),
    "a parameter is demanded": (
        lambda d: get(d)["parameters"].append({"in": "query", "name": "q", "required": True}),
        [f"{GET}: the parameter q is required now"],
    ),
    "a way in is closed": (
        lambda d: get(d).update(security=[{}]),
        [f"{GET}: token no longer opens it"],
    ),
    "an answer is another": (
        lambda d: get(d)["responses"].update({"204": get(d)["responses"].pop("200")}),
        [f"{GET}: the answer 200 is gone"],
    ),
}


@pytest.mark.parametrize("what", BREAKING)
def test_what_breaks_is_named(what):
    change, said = BREAKING[what]
    assert changed(change) == said


HARMLESS = {
    "nothing": lambda d: None,
    "an operation is added": lambda d: d["paths"].update({"/people/": {"get": {"responses": {}}}}),
    "a field is added": lambda d: film(d)["properties"].update(length={"type": "integer"}),
    "a value is added": lambda d: film(d)["properties"]["kind"]["enum"].append("longer"),
    "a parameter is added": lambda d: get(d)["parameters"].append({"in": "query", "name": "q"}),
    "a way in is added": lambda d: get(d)["security"].append({"cookie": []}),
    "words change": lambda d: film(d).update(description="Films."),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_does_not_break_is_let_through(what):
    assert changed(HARMLESS[what]) == []


@pytest.mark.django_db
def test_the_committed_document_is_the_api_and_breaks_nobody():
    committed = DOCUMENT.read_text()
    now = document_now()
    broken = breaking_changes(yaml.safe_load(committed), yaml.safe_load(now))
    assert broken == []
    # Additions only: store them with `manage.py api_schema --write`.
    call_command("api_schema")


@pytest.mark.parametrize(
    ("today", "said"),
    [(date(2027, 7, 4), [f"{POST} is gone before 2027-07-05"]), (date(2027, 7, 5), [])],
)
def test_what_was_told_may_be_gone_on_its_day(today, said):
    before = copy.deepcopy(BASE)
    before["paths"]["/films/"]["post"] |= {"deprecated": True, "x-sunset": "2027-07-05"}
    after = copy.deepcopy(BASE)
    del after["paths"]["/films/"]["post"]
    assert breaking_changes(before, after, today=today) == said
