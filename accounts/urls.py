"""Page addresses."""

from django.urls import path

from accounts import deletion_views, token_views, views

app_name = "accounts"
urlpatterns = [
    path("", views.settings, name="settings"),
    path("tokens/", token_views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", token_views.token_remove, name="token_remove"),
    path("delete/", deletion_views.delete, name="delete"),
    path("keep/", deletion_views.keep, name="keep"),
]
