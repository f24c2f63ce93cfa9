"""App settings."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """See the package's docstring."""

    name = "catalog"
    verbose_name = "Catalogue"
