"""API addresses."""

from django.urls import path

from recommendations.apis import RecommendationsApi

urlpatterns = [
    path("me/recommendations/", RecommendationsApi.as_view(), name="api-recommendations"),
]
