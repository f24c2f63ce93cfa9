"""Every address of the site."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from config import pwa, views
from config.api_docs import ApiDocsView
from config.styleguide import styleguide
from dashboard.monitoring.prometheus import metrics
from recommendations.views import home

# One way in for everybody: with the limits, the second factor, and what a visitor did kept.
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    # First of all: programs ask most often, and would be compared with 130 patterns of pages.
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/v1/docs/", ApiDocsView.as_view(), name="api-docs"),
    # Last of these: it answers every other address below it.
    path("api/v1/", include("config.api_urls")),
    path("", home, name="home"),
    path("about/", views.about, name="about"),
    path("theme/", views.set_theme, name="theme"),
    path("language/", views.set_language, name="language"),
    path("manifest.webmanifest", pwa.manifest, name="manifest"),
    path("favicon.ico", pwa.favicon, name="favicon"),
    path("sw.js", pwa.service_worker, name="service_worker"),
    path("metrics", metrics, name="metrics"),
    path("offline/", pwa.offline, name="offline"),
    path("styleguide/", styleguide, name="styleguide"),
    path("", include("recommendations.urls")),
    path("", include("catalog.urls")),
    path("", include("feedback.urls")),
    path("", include("dashboard.urls")),
    path("accounts/", include("allauth.urls")),
    # allauth has a door for telephone numbers, which Marquee never asks for: it would answer 500.
    re_path(r"^_allauth/\w+/v1/(?:account|auth)/phone", views.not_offered),
    path("_allauth/", include("allauth.headless.urls")),
    path("settings/", include("accounts.urls")),
    path("admin/", admin.site.urls),
]

handler500 = "config.faults.server_error"
