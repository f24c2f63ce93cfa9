"""Doors for the worker; the work is in the services."""

from __future__ import annotations

from celery import shared_task

from catalog.services.embeddings import changed_films_embed
from catalog.tmdb import jobs


@shared_task
def enrich_tmdb_task(run_id: str) -> None:
    """Run a requested enrichment."""
    jobs.run_by_worker(run_id)


@shared_task
def resume_enrichment_task() -> None:
    """Publish again what waits: the broker may have lost it, or a worker have died."""
    jobs.runs_resume()


@shared_task
def keep_tmdb_fresh_task() -> None:
    """Ask anew for what nears six months, forget what has passed them."""
    jobs.keep_fresh()


@shared_task
def cache_images_task() -> None:
    """Fetch pictures that TMDB has and we do not, the most rated films' first."""
    jobs.images_cache_some()


@shared_task
def embed_changed_films_task() -> None:
    """Give new and changed films their vectors, and index their words."""
    changed_films_embed()
