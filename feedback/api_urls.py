"""API addresses."""

from django.urls import path

from feedback.apis import RatingApi, RatingListApi
from feedback.batch_apis import FeedbackApi
from feedback.exports.apis import ExportApi, ExportFileApi, ExportListApi
from feedback.film_apis import (
    FilmStateApi,
    HiddenApi,
    HiddenListApi,
    ReactionApi,
    ReactionListApi,
)
from feedback.imports.apis import (
    ImportApi,
    ImportApplyApi,
    ImportCancelApi,
    ImportFilmApi,
    ImportFilmListApi,
    ImportListApi,
    ImportUndoApi,
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
    path("me/imports/", ImportListApi.as_view(), name="api-imports"),
    path("me/imports/<uuid:pk>/", ImportApi.as_view(), name="api-import"),
    path("me/imports/<uuid:pk>/apply/", ImportApplyApi.as_view(), name="api-import-apply"),
    path("me/imports/<uuid:pk>/undo/", ImportUndoApi.as_view(), name="api-import-undo"),
    path("me/imports/<uuid:pk>/cancel/", ImportCancelApi.as_view(), name="api-import-cancel"),
    path("me/imports/<uuid:pk>/films/", ImportFilmListApi.as_view(), name="api-import-films"),
    path(
        "me/imports/<uuid:pk>/films/<int:film_id>/",
        ImportFilmApi.as_view(),
        name="api-import-film",
    ),
    path("me/exports/", ExportListApi.as_view(), name="api-exports"),
    path("me/exports/<uuid:pk>/", ExportApi.as_view(), name="api-export"),
    path("me/exports/<uuid:pk>/file/", ExportFileApi.as_view(), name="api-export-file"),
    path("shared-lists/<str:key>/", SharedListApi.as_view(), name="api-shared-list"),
]
