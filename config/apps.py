"""Project-wide checks and commands live in the ``config`` app."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """No models: wiring only."""

    name = "config"
    label = "marquee_config"
    verbose_name = "Marquee"

    def ready(self) -> None:
        # schema: its extensions are known to the schema's generator by being read.
        from config import checks, errors, metrics, schema  # noqa: F401

        errors.start()
        checks.register_all()
        metrics.make_folder()
