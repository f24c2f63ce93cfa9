"""API addresses."""

from django.urls import path

from recommendations.apis import QuizApi, RecommendationsApi

urlpatterns = [
    path("quiz/", QuizApi.as_view(), name="api-quiz"),
    path("me/recommendations/", RecommendationsApi.as_view(), name="api-recommendations"),
]
