"""``/api/v1/``: each app brings its own operations."""

from django.urls import include, path, re_path

from config.api import NoSuchApi

urlpatterns = [
    # What is asked most often comes first.
    path("", include("recommendations.api_urls")),
    path("", include("catalog.api_urls")),
    path("", include("feedback.api_urls")),
    path("", include("accounts.api_urls")),
    path("", include("dashboard.api_urls")),
    re_path(r"", NoSuchApi.as_view()),
]
