"""API addresses."""

from django.urls import path

from catalog.apis import GenreListApi, HealthApi, MovieApi, MovieListApi
from catalog.search_apis import SearchApi

urlpatterns = [
    path("health/", HealthApi.as_view(), name="api-health"),
    path("genres/", GenreListApi.as_view(), name="api-genres"),
    path("search/", SearchApi.as_view(), name="api-search"),
    path("movies/", MovieListApi.as_view(), name="api-movies"),
    path("movies/<int:movie_id>/", MovieApi.as_view(), name="api-movie"),
]
