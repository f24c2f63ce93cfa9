"""App settings."""

from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    """See the package's docstring."""

    name = "recommendations"
    verbose_name = "Recommendations"
