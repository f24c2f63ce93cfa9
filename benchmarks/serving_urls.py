"""Every address of the site, an empty one behind the same frame, and a list without any frame."""

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.models import Movie
from config.urls import handler500
from config.urls import urlpatterns as of_the_site

__all__ = ["handler500", "urlpatterns"]


class EmptyApi(APIView):
    """What the frame costs before anything is done for anybody."""

    def get(self, request: Request) -> Response:
        """Nothing."""
        return Response({})


class BareSerializer(serializers.ModelSerializer[Movie]):
    """A film's own columns, as one writes it on the first day."""

    class Meta:
        model = Movie
        fields = [
            *("id", "title", "original_title", "year", "runtime_min", "language", "countries"),
            *("certification", "genres", "rating_count", "rating_mean"),
        ]


class BareListApi(APIView):
    """The 20 films of the first page of the film list, without anything around them."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def get(self, request: Request) -> Response:
        """Two queries: films and their genres."""
        films = Movie.objects.order_by("-rating_count").defer("search_vector")
        rows = films.prefetch_related("genres")[:20]
        return Response({"results": BareSerializer(rows, many=True).data})


urlpatterns = [
    path("bench/empty/", EmptyApi.as_view()),
    path("bench/bare/", BareListApi.as_view()),
    *of_the_site,
]
