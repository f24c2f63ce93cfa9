"""App settings."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """See the package's docstring."""

    name = "feedback"
    verbose_name = "Feedback"
