"""What stands between a fresh checkout and a site that answers; each step looks before it works.

The long ones (import, training) run as commands in processes of their own: their memory and their
threads are gone before the servers are forked.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from catalog.models import Movie
from catalog.services.embeddings import embedding_publish, embedding_state
from config.translations import compile_changed
from recommendations.models import ModelVersion

MOVIELENS_URL = "https://files.grouplens.org/datasets/movielens/ml-latest-small.zip"
MOVIELENS_LICENCE = (
    "MovieLens data by GroupLens, University of Minnesota: free to use and to pass on under the "
    "same terms, not for commercial purposes without their permission; the terms are in the "
    "archive's README."
)
NETWORK_TIMEOUT_S = 3.0

Say = Callable[[str], None]


class StepFailed(Exception):  # noqa: N818 - it is an outcome with a sentence
    """A step did not succeed; the message says which and what to do."""


@dataclass(frozen=True)
class Step:
    """One thing to have; ``run`` returns what was done, or nothing where all was there."""

    title: str
    run: Callable[[Say], str | None]


def run_steps(say: Say) -> None:
    """All steps in order, with the time each took."""
    for step in STEPS:
        started_at = time.monotonic()
        done = step.run(say)
        if done is None:
            say(f"  {step.title}: up to date")
        else:
            say(f"  {step.title}: {done} ({time.monotonic() - started_at:.1f} s)")


def migrate(say: Say) -> str | None:
    """Bring the database's tables up to date."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return None
    call_command("migrate", interactive=False, verbosity=0)
    return f"{len(plan)} migrations applied"


def collect_static(say: Say) -> str | None:
    """Hash, compress and collect styles and scripts, where one of them has changed."""
    stamp = Path(settings.STATIC_ROOT) / ".stamp"
    wanted = _static_fingerprint()
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return None
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(wanted, encoding="ascii")
    return "collected"


def compile_texts(say: Say) -> str | None:
    """Make the translated texts readable for Django, where one of them has changed."""
    compiled = compile_changed()
    return f"compiled: {', '.join(compiled)}" if compiled else None


def _static_fingerprint() -> str:
    digest = hashlib.sha256(str(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path}:{found.st_size}:{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def load_catalogue(say: Say) -> str | None:
    """Films, where there are none: MOVIELENS_DIR, else a download, else the bundled ones alone.

    MovieLens knows titles and ratings; the bundled catalogue adds what its films are about, who
    made them and how long they are.
    """
    if Movie.objects.exists():
        return None
    _load_movielens(say)
    say("  Loading the starter catalogue that comes with Marquee")
    _manage("load_starter", what="Loading the starter catalogue")
    return f"{Movie.objects.count()} films"


def _load_movielens(say: Say) -> None:
    folder = os.environ.get("MOVIELENS_DIR")
    if folder:
        if not Path(folder).exists():
            msg = f"MOVIELENS_DIR names {folder}, which does not exist: correct it or unset it."
            raise StepFailed(msg)
        say(f"  Loading films from {folder}")
        _manage("import_movielens", str(Path(folder).absolute()), what="The import")
    elif _is_reachable(MOVIELENS_URL):
        say(f"  Downloading {MOVIELENS_URL}")
        say(f"  {MOVIELENS_LICENCE}")
        try:
            _manage("import_movielens", MOVIELENS_URL, what="The download")
        except StepFailed as error:
            say(f"  {error}")


def _is_reachable(url: str) -> bool:
    """Whether the address answers within seconds; MARQUEE_OFFLINE=1 does not even ask."""
    if os.environ.get("MARQUEE_OFFLINE", "0") not in {"", "0"}:
        return False
    try:
        answer = requests.head(url, timeout=NETWORK_TIMEOUT_S, allow_redirects=True)
    except requests.RequestException:
        return False
    return answer.ok


def train_first_model(say: Say) -> str | None:
    """A model, where none is active. Without one the site still answers, with popular films."""
    if ModelVersion.objects.filter(status=ModelVersion.Status.ACTIVE).exists():
        return None
    say("  Training the first model")
    try:
        _manage("train", what="Training")
    except StepFailed as error:
        say(f"  {error} The site starts with popular films; manage.py train tries again.")
        return "failed"
    return "trained"


def prepare_search(say: Say) -> str | None:
    """Vectors and words of films, where some lack them: by the worker, while the site answers.

    Until then search goes by titles and words, and says so.
    """
    state = embedding_state()
    if state.n_embedded >= state.n_films and state.active:
        return None
    embedding_publish()
    missing = state.n_films - state.n_embedded
    return f"films to embed for search by meaning, in the background: {missing}"


def _manage(*arguments: str, what: str) -> None:
    """Run a ``manage.py`` command on the servers that this process uses."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - our own command
    try:
        code = child.wait()
    finally:
        # Interrupted: the command ends with us, and cleans up behind itself.
        if child.poll() is None:
            child.terminate()
            child.wait()
    if code != 0:
        msg = f"{what} did not succeed (manage.py {' '.join(arguments)} ended with code {code})."
        raise StepFailed(msg)


STEPS = [
    Step("Database", migrate),
    Step("Static files", collect_static),
    Step("Texts", compile_texts),
    Step("Catalogue", load_catalogue),
    Step("Model", train_first_model),
    Step("Search", prepare_search),
]
