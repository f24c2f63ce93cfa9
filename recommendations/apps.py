"""App settings."""

from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    """See the package's docstring."""

    name = "recommendations"
    verbose_name = "Recommendations"

    def ready(self) -> None:
        """A visitor's answers follow them into their account."""
        from django.contrib.auth.signals import user_logged_in

        from recommendations.quiz import keep_visitors_answers

        user_logged_in.connect(keep_visitors_answers, dispatch_uid="quiz-answers-of-a-visitor")
