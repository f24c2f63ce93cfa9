"""Answers are written as the REST framework writes them, only sooner."""

from __future__ import annotations

import datetime
import json
import math
import uuid
from decimal import Decimal

import pytest
from django.utils.translation import gettext_lazy
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import Serializer
from rest_framework.utils.serializer_helpers import ReturnDict

from accounts.api.outputs import JsonRenderer

UTC = datetime.UTC


@pytest.mark.parametrize(
    "data",
    [
        {"title": "Amélie — “Le Fabuleux”", "n": 3, "share": 0.1, "none": None, "yes": True},
        [1e-7, 1e300, -0.0, 12345678901234567, 0.30000000000000004],
        {"at": datetime.datetime(2026, 11, 30, 5, 6, 7, 8, tzinfo=UTC)},
        {"day": datetime.date(2026, 1, 2), "took": datetime.timedelta(seconds=61.5)},
        {"stars": Decimal("4.50"), "id": uuid.UUID(int=7)},
        {"said": gettext_lazy("Trending now"), "of": (1, 2), "set": {5}},
        {7: "number", "x": ReturnDict({"a": [{}]}, serializer=Serializer())},
        "", [], {}, 0, False,
    ],
)  # fmt: skip
def test_the_same_data(data):
    plain, own = JSONRenderer().render(data), JsonRenderer().render(data)
    assert json.loads(own) == json.loads(plain)
    assert not own.startswith(b" ")


def test_nothing_is_nothing_and_no_number_is_null():
    assert JsonRenderer().render(None) == b""
    assert JsonRenderer().render([math.nan, math.inf]) == b"[null,null]"


def test_who_asks_for_an_indent_gets_one():
    assert JsonRenderer().render({"a": 1}, "application/json; indent=2") == b'{\n  "a": 1\n}'


def test_what_cannot_be_written_is_an_error():
    with pytest.raises(TypeError):
        JsonRenderer().render({"a": object()})
