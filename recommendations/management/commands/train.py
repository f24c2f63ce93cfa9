"""``manage.py train``: the short name of ``manage.py train_model``."""

from __future__ import annotations

from recommendations.management.commands.train_model import Command

__all__ = ["Command"]
