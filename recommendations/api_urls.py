"""API addresses."""

from django.urls import path

from recommendations.apis import RecommendationsApi
from recommendations.similar_apis import SimilarApi, TitleOrPromptApi

urlpatterns = [
    path("movies/<int:movie_id>/similar/", SimilarApi.as_view(), name="api-similar"),
    path("title-or-prompt/", TitleOrPromptApi.as_view(), name="api-title-or-prompt"),
    path("me/recommendations/", RecommendationsApi.as_view(), name="api-recommendations"),
]
