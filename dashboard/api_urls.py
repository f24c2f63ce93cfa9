"""API addresses."""

from django.urls import path

from dashboard.apis import TasteApi

urlpatterns = [path("me/taste/", TasteApi.as_view(), name="api-taste")]
