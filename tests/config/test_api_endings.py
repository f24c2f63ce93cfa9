"""What must go says so for half a year: in every answer, and in the document."""

from __future__ import annotations

from datetime import date

import pytest
from django.http import Http404
from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.endings import Ending
from config.api import NoSuchApi

SINCE, UNTIL = date(2027, 1, 1), date(2027, 7, 5)
SAID = {
    "Deprecation": "@1798761600",
    "Sunset": "Mon, 05 Jul 2027 00:00:00 GMT",
    "Link": '</api/v1/docs/>; rel="deprecation"; type="text/html"',
}


class OldApi(Api):
    """Something that was renamed."""

    permission_classes = [AllowAny]
    endings = {"GET": Ending(since=SINCE, until=UNTIL, instead="new_name")}

    @extend_schema(operation_id="old_name", responses={200: None})
    def get(self, request):
        """What it always answered."""
        if "lost" in request.query_params:
            raise Http404
        return Response({"is": "there"})

    @extend_schema(operation_id="still_here", request=None, responses={200: None})
    def post(self, request):
        """This stays."""
        return Response({})


operations = [path("old/", OldApi.as_view())]
urlpatterns = [
    path("api/v1/docs/", NoSuchApi.as_view(), name="api-docs"),
    path("api/v1/", include(operations)),
]


@pytest.fixture
def ended(db, settings):
    settings.ROOT_URLCONF = __name__


def said_by(answer):
    return {name: answer[name] for name in SAID if name in answer}


@pytest.mark.usefixtures("ended")
def test_every_answer_of_what_ends_says_so(client):
    url = "/api/v1/old/"
    found = client.get(url)
    assert (found.status_code, said_by(found)) == (200, SAID)
    same = client.get(url, headers={"If-None-Match": found["ETag"]})
    assert (same.status_code, said_by(same)) == (304, SAID)
    assert said_by(client.head(url)) == SAID
    lost = client.get(url, {"lost": 1})
    assert (lost.status_code, said_by(lost)) == (404, SAID)
    assert said_by(client.post(url)) == {}


def test_the_document_marks_it_and_names_the_day_and_what_replaces_it():
    paths = SchemaGenerator(patterns=urlpatterns).get_schema(request=None, public=True)["paths"]
    old, new = paths["/api/v1/old/"]["get"], paths["/api/v1/old/"]["post"]
    assert (old["deprecated"], old["x-sunset"]) == (True, "2027-07-05")
    assert old["description"].endswith("Ends on 2027-07-05: use `new_name`.")
    assert {"deprecated", "x-sunset"}.isdisjoint(new)
    assert "Ends on" not in new["description"]


@pytest.mark.parametrize(
    ("until", "is_enough"), [(date(2027, 7, 2), False), (date(2027, 7, 3), True)]
)
def test_nobody_has_less_than_half_a_year(until, is_enough):
    if is_enough:
        assert Ending(since=SINCE, until=until, instead="new_name").until == until
        return
    with pytest.raises(ValueError, match="no end before 2027-07-03"):
        Ending(since=SINCE, until=until, instead="new_name")
