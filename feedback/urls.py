"""Page addresses."""

from django.urls import path

from feedback import journal_views, views
from feedback.exports import views as export_views
from feedback.imports import views as import_views

app_name = "feedback"
urlpatterns = [
    path("films/<int:pk>/rate/", views.rate, name="rate"),
    path("films/<int:pk>/react/", views.react, name="react"),
    path("films/<int:pk>/watchlist/", views.watchlist_toggle, name="watchlist_toggle"),
    path("films/<int:pk>/actions/", views.actions, name="actions"),
    path("ratings/", views.ratings, name="ratings"),
    path("watchlist/", views.watchlist, name="watchlist"),
    path("hidden/", views.hidden, name="hidden"),
    path("films/<int:pk>/journal/", journal_views.film_journal, name="film_journal"),
    path("films/<int:pk>/diary/", journal_views.diary_write, name="diary_write"),
    path("diary/", journal_views.diary, name="diary"),
    path("diary/<int:pk>/remove/", journal_views.diary_erase, name="diary_erase"),
    path("lists/", journal_views.lists, name="lists"),
    path("lists/new/", journal_views.list_new, name="list_new"),
    path("lists/<int:pk>/", journal_views.list_page, name="list"),
    path("lists/<int:pk>/change/", journal_views.list_change, name="list_change"),
    path("lists/<int:pk>/share/", journal_views.list_share, name="list_share"),
    path("lists/<int:pk>/delete/", journal_views.list_remove, name="list_remove"),
    path("lists/<int:pk>/films/<int:movie_pk>/", journal_views.list_film, name="list_film"),
    path("settings/import/", import_views.imports, name="imports"),
    path("settings/import/<uuid:pk>/", import_views.import_page, name="import"),
    path("settings/import/<uuid:pk>/check/", import_views.import_check, name="import_check"),
    path(
        "settings/import/<uuid:pk>/films/<int:film_pk>/",
        import_views.import_film,
        name="import_film",
    ),
    *(
        path(
            f"settings/import/<uuid:pk>/{act}/",
            import_views.import_act,
            {"act": act},
            name=f"import_{act}",
        )
        for act in ("apply", "undo", "cancel", "forget")
    ),
    path("settings/export/", export_views.exports, name="exports"),
    path(
        "settings/export/<uuid:pk>/download/",
        export_views.export_download,
        name="export_download",
    ),
    path("shared/<str:key>/", journal_views.list_shared, name="list_shared"),
]
