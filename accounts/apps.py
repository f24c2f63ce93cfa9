"""App settings."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """See the package's docstring."""

    name = "accounts"
    verbose_name = "People"
