"""Page addresses."""

from django.urls import path

from accounts import token_views, views

app_name = "accounts"
urlpatterns = [
    path("", views.settings, name="settings"),
    path("tokens/", token_views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", token_views.token_remove, name="token_remove"),
]
