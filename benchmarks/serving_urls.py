"""Every address of the site, and an empty one behind the same session, login and throttle."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler500
from config.urls import urlpatterns as of_the_site

__all__ = ["handler500", "urlpatterns"]


class EmptyApi(APIView):
    """What the frame costs before anything is done for anybody."""

    def get(self, request: Request) -> Response:
        """Nothing."""
        return Response({})


urlpatterns = [path("bench/empty/", EmptyApi.as_view()), *of_the_site]
