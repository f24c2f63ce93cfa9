"""API addresses."""

from django.urls import path

from accounts.api.deletion import DeletionApi
from accounts.api.devices import DeviceApi, DeviceListApi, MeApi
from accounts.api.taste import TasteSettingsApi
from accounts.api.tokens import TokenApi, TokenListApi

urlpatterns = [
    path("me/", MeApi.as_view(), name="api-me"),
    path("me/deletion/", DeletionApi.as_view(), name="api-deletion"),
    path("me/settings/", TasteSettingsApi.as_view(), name="api-settings"),
    path("me/devices/", DeviceListApi.as_view(), name="api-devices"),
    path("me/devices/<int:pk>/", DeviceApi.as_view(), name="api-device"),
    path("me/tokens/", TokenListApi.as_view(), name="api-tokens"),
    path("me/tokens/<int:pk>/", TokenApi.as_view(), name="api-token"),
]
