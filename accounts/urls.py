"""Page addresses."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def account(request: HttpRequest) -> HttpResponse:
    """Replaced by the next commit."""
    return HttpResponse("settings")


app_name = "accounts"
urlpatterns = [path("", account, name="settings")]
