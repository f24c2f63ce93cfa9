"""Project-wide checks and commands live in the ``config`` app."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """No models: wiring only."""

    name = "config"
    label = "marquee_config"
    verbose_name = "Marquee"

    def ready(self) -> None:
        from config import checks, metrics

        checks.register_all()
        metrics.make_folder()
