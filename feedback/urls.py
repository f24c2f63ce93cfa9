"""Page addresses."""

from django.urls import path

from feedback import views

app_name = "feedback"
urlpatterns = [
    path("films/<int:pk>/rate/", views.rate, name="rate"),
    path("films/<int:pk>/react/", views.react, name="react"),
    path("films/<int:pk>/watchlist/", views.watchlist_toggle, name="watchlist_toggle"),
    path("films/<int:pk>/actions/", views.actions, name="actions"),
    path("ratings/", views.ratings, name="ratings"),
    path("watchlist/", views.watchlist, name="watchlist"),
    path("hidden/", views.hidden, name="hidden"),
]
