"""``/api/v1/``: each app brings its own operations."""

from django.urls import include, path

urlpatterns = [
    path("", include("catalog.api_urls")),
    path("", include("feedback.api_urls")),
    path("", include("recommendations.api_urls")),
]
