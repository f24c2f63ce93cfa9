"""What a request says, read as its document describes it: types as JSON has them, nothing guessed.

The REST framework reads forms as well, where all is text: it takes "7" for a number, "yes" for
true, 7 for a text, and an empty parameter for one that was not sent. A program that sends these has
a mistake in it, and is told.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rest_framework import exceptions, serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

MAX_ID = 2**63 - 1
_TEXT = (serializers.CharField, serializers.UUIDField, serializers.DateField)
_NUMBER = (serializers.IntegerField, serializers.FloatField)
#: How a boolean is written in an address.
_WRITTEN = {"true": True, "1": True, "false": False, "0": False}


class JsonParser(JSONParser):
    """A body of JSON; one that is nested without end is none."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        """Raises ParseError, a 400."""
        try:
            return super().parse(*args, **kwargs)
        except RecursionError as error:
            raise exceptions.ParseError("This JSON is nested too deep.") from error


class IdField(serializers.IntegerField):
    """The number of a row: what Postgres counts rows with, whether or not there is one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **options)


class Body(serializers.Serializer):
    """A JSON body, or a part of one; nested parts derive from this as well."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError naming the fields."""
        if type(data) is dict:  # a form is no plain dict
            read: dict[str, Any] = dict(data)
            wrong: dict[str, list[str]] = {}
            for name, field in self.fields.items():
                if name in data and not field.read_only:
                    try:
                        read[name] = _of_json(field, data[name])
                    except TypeError as error:
                        wrong[name] = [str(error)]
            if wrong:
                raise serializers.ValidationError(wrong)
            data = read
        return super().to_internal_value(data)


class Query(serializers.Serializer):
    """The parameters of an address: each is sent once, but for lists.

    What they are read as is a matter of the address alone: the same one is not read twice.
    """

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """The checked values. Raises ValidationError naming the fields."""
        sent = tuple((name, tuple(values)) for name, values in request.query_params.lists())
        read = _checked(cls, sent)
        return {name: list(v) if isinstance(v, list) else v for name, v in read.items()}


@lru_cache(maxsize=1024)
def _checked(query_class: type[Query], sent: tuple[tuple[str, tuple[str, ...]], ...]) -> dict:
    # To make a serializer copies every field of its class.
    params = dict(sent)
    given: dict[str, Any] = {}
    wrong: dict[str, list[str]] = {}
    query = query_class(data=given)
    for name, field in query.fields.items():
        values = params.get(name, ())
        if isinstance(field, serializers.ListField):
            given |= {name: list(values)} if values else {}
        elif len(values) > 1:
            wrong[name] = ["Send it once."]
        elif values and isinstance(field, serializers.BooleanField):
            if values[0] not in _WRITTEN:
                wrong[name] = ["true or false."]
            given[name] = _WRITTEN.get(values[0])
        elif values:
            given[name] = values[0]
    if wrong:
        raise serializers.ValidationError(wrong)
    query.initial_data = given
    query.is_valid(raise_exception=True)
    return query.validated_data


def _of_json(field: serializers.Field, value: Any) -> Any:
    """The value, whole numbers as such however they are written (JSON knows no difference).

    Raises TypeError for another type than the field's; what null means is the field's matter.
    """
    if value is None:
        return None
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return [_of_json(field.child, one) for one in value]
    if isinstance(field, _TEXT) and not isinstance(value, str):
        raise TypeError("Must be a text.")
    if isinstance(field, serializers.BooleanField) and not isinstance(value, bool):
        raise TypeError("Must be true or false.")
    if isinstance(field, _NUMBER):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError("Must be a number.")
        if isinstance(value, float) and value.is_integer():
            return int(value)
    return value
