"""Page addresses."""

from django.urls import path

from catalog import views
from catalog.tmdb.views import enrichment

app_name = "catalog"
urlpatterns = [
    path("browse/", views.browse, name="browse"),
    path("search/", views.search, name="search"),
    path("search/suggest/", views.suggest, name="suggest"),
    path("films/<int:pk>/", views.movie, name="movie"),
    path("films/<int:pk>/poster.svg", views.poster, name="poster"),
    path("films/<int:pk>/backdrop.svg", views.backdrop, name="backdrop"),
    path("staff/enrichment/", enrichment, name="enrichment"),
]
