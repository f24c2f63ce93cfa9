"""App settings."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """See the package's docstring."""

    name = "dashboard"
    verbose_name = "Dashboard"
