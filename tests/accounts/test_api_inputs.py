"""Bodies and addresses mean what the document says: types are kept to, nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from rest_framework import serializers

from accounts.api.inputs import MAX_ID, Body, IdField, Query


class Part(Body):
    size = serializers.IntegerField()


class Parcel(Body):
    name = serializers.CharField(required=False, allow_blank=True)
    day = serializers.DateField(required=False)
    uuid = serializers.UUIDField(required=False)
    is_rush = serializers.BooleanField(required=False)
    weight = serializers.FloatField(required=False, allow_null=True)
    n = serializers.IntegerField(required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)
    part = Part(required=False)
    parts = serializers.ListField(child=Part(), required=False)


class Asked(Query):
    n = serializers.IntegerField(min_value=1, default=20)
    name = serializers.CharField(required=False)
    is_rush = serializers.BooleanField(default=False)
    tag = serializers.ListField(child=serializers.CharField(), required=False, max_length=2)


class Request:
    def __init__(self, query):
        self.query_params = QueryDict(query)


RIGHT = [
    {"name": "", "day": "2024-02-29", "is_rush": False, "weight": 2, "n": 3, "tags": ["a"]},
    {"uuid": "6f0d3f0e-2d5c-4bb7-9f8c-6d1c5a2b7a11", "weight": 0.5, "n": 4.0},
    {"n": 1e3},
    {"weight": None, "part": {"size": 1}, "parts": [{"size": 1}, {"size": 2}]},
]


@pytest.mark.parametrize("body", RIGHT)
def test_what_the_document_allows_is_taken(body):
    form = Parcel(data=body)
    assert form.is_valid(), form.errors
    assert set(form.validated_data) == set(body)


def each(name: str, *values: Any) -> list[dict[str, Any]]:
    return [{name: value} for value in values]


WRONG: list[dict[str, Any]] = [
    *each("name", 7, True, 1.5, ["a"], {"a": 1}, None),
    *each("day", 20240229, True),
    *each("uuid", 7, 1.5),
    *each("is_rush", "true", "yes", 1, 0, "", None),
    *each("weight", "2", True, []),
    *each("n", "3", True, False, 3.5),
    *each("tags", [1], ["a", True], "a"),
    {"part": {"size": "1"}},
    {"parts": [{"size": 1}, {"size": True}]},
]


@pytest.mark.parametrize("body", WRONG)
def test_another_type_is_refused_by_name(body):
    form = Parcel(data=body)
    assert not form.is_valid()
    assert list(form.errors) == list(body)


def test_a_form_is_read_as_a_form():
    """There all is text: a body that comes as one is not JSON."""
    form = Parcel(data=QueryDict("n=3&is_rush=true&weight=2"))
    assert form.is_valid(), form.errors
    assert form.validated_data == {"n": 3, "is_rush": True, "weight": 2.0}


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("", {"n": 20, "is_rush": False}),
        ("n=3&is_rush=true", {"n": 3, "is_rush": True}),
        ("is_rush=0&name=x", {"n": 20, "is_rush": False, "name": "x"}),
        ("is_rush=1&tag=a&tag=b", {"n": 20, "is_rush": True, "tag": ["a", "b"]}),
        ("colour=red", {"n": 20, "is_rush": False}),
    ],
)
def test_an_address_is_read(query, values):
    assert Asked.of(Request(query)) == values


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("n=", "n"), ("n=0", "n"), ("n=x", "n"), ("n=1&n=2", "n"), ("n=null", "n")),
        *(("name=", "name"), ("name=%00", "name"), ("is_rush=perhaps", "is_rush")),
        *(("is_rush=", "is_rush"), ("tag=a&tag=b&tag=c", "tag"), ("tag=", "tag")),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(query, field):
    with pytest.raises(serializers.ValidationError) as refused:
        Asked.of(Request(query))
    assert list(refused.value.detail) == [field]


@pytest.mark.parametrize(
    ("number", "is_one"), [(0, False), (1, True), (MAX_ID, True), (MAX_ID + 1, False)]
)
def test_a_row_has_a_number_that_postgres_can_count(number, is_one):
    class Named(Body):
        id = IdField()

    assert Named(data={"id": number}).is_valid() is is_one
