"""Page addresses."""

from django.urls import path

from feedback import views

app_name = "feedback"
urlpatterns = [
    path("films/<int:pk>/rate/", views.stub, name="rate"),
    path("films/<int:pk>/react/", views.stub, name="react"),
    path("films/<int:pk>/watchlist/", views.stub, name="watchlist_toggle"),
    path("films/<int:pk>/actions/", views.stub, name="actions"),
    path("ratings/", views.stub, name="ratings"),
    path("watchlist/", views.stub, name="watchlist"),
    path("hidden/", views.stub, name="hidden"),
]
