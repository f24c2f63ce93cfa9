"""API addresses."""

from django.urls import path

from catalog.apis import GenreListApi, HealthApi, MovieApi, MovieListApi

urlpatterns = [
    path("health/", HealthApi.as_view(), name="api-health"),
    path("genres/", GenreListApi.as_view(), name="api-genres"),
    path("movies/", MovieListApi.as_view(), name="api-movies"),
    path("movies/<int:movie_id>/", MovieApi.as_view(), name="api-movie"),
]
