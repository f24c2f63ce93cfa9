"""API addresses."""

from django.urls import path

from feedback.apis import RatingApi, RatingListApi
from feedback.batch_apis import FeedbackApi
from feedback.film_apis import (
    FilmStateApi,
    HiddenApi,
    HiddenListApi,
    ReactionApi,
    ReactionListApi,
)
from feedback.list_apis import ListApi, ListFilmApi, ListsApi, ListShareApi, SharedListApi
from feedback.watchlist_apis import (
    DiaryApi,
    DiaryListApi,
    HistoryApi,
    WatchlistApi,
    WatchlistFilmApi,
)

urlpatterns = [
    path("feedback/", FeedbackApi.as_view(), name="api-feedback"),
    path("me/ratings/", RatingListApi.as_view(), name="api-ratings"),
    path("me/ratings/<int:movie_id>/", RatingApi.as_view(), name="api-rating"),
    path("me/films/<int:movie_id>/", FilmStateApi.as_view(), name="api-film-state"),
    path("me/reactions/", ReactionListApi.as_view(), name="api-reactions"),
    path("me/reactions/<int:movie_id>/<str:kind>/", ReactionApi.as_view(), name="api-reaction"),
    path("me/hidden/", HiddenListApi.as_view(), name="api-hidden"),
    path("me/hidden/<int:movie_id>/", HiddenApi.as_view(), name="api-hidden-film"),
    path("me/watchlist/", WatchlistApi.as_view(), name="api-watchlist"),
    path("me/watchlist/<int:movie_id>/", WatchlistFilmApi.as_view(), name="api-watchlist-film"),
    path("me/history/", HistoryApi.as_view(), name="api-history"),
    path("me/diary/", DiaryListApi.as_view(), name="api-diary"),
    path("me/diary/<int:pk>/", DiaryApi.as_view(), name="api-diary-entry"),
    path("me/lists/", ListsApi.as_view(), name="api-lists"),
    path("me/lists/<int:pk>/", ListApi.as_view(), name="api-list"),
    path("me/lists/<int:pk>/share/", ListShareApi.as_view(), name="api-list-share"),
    path("me/lists/<int:pk>/films/<int:movie_id>/", ListFilmApi.as_view(), name="api-list-film"),
    path("shared-lists/<str:key>/", SharedListApi.as_view(), name="api-shared-list"),
]
