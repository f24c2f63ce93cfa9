"""An import whose Celery process is killed: another one goes on, and every row counts once."""

from __future__ import annotations

import os
import signal

import pytest

from tests.faults.table import Row

VIEWINGS = 9_000
STRANGERS = 1_500
# Viewings of the films that are here, each on a day of its own, and films that nobody knows.
BRING = """
import django; django.setup()
from datetime import date, timedelta
from accounts.models import User
from catalog.models import Movie
from feedback.imports.services import import_create
films = list(Movie.objects.order_by("pk").values_list("title", "year"))
rows = ["Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date"]
for n in range({viewings}):
    title, year = films[n % len(films)]
    day = date(1990, 1, 1) + timedelta(days=n)
    rows.append(f"{{day}},{{title}},{{year}},https://boxd.it/{{n}},4,,,{{day}}")
for n in range({strangers}):
    rows.append(f"2021-01-01,Nobody Knows {{n:05}},1999,https://boxd.it/x{{n}},3,,,2021-01-01")
person = User.objects.create_user("importer-{name}@example.org", None)
job = import_create(user=person, filename="diary.csv", content="\\n".join(rows).encode())
print(job.pk)
"""
APPLY = """
import django; django.setup()
from feedback.imports.models import ImportJob
from feedback.imports.services import import_apply
assert import_apply(ImportJob.objects.get(pk={pk!r}))
"""
STATE = "SELECT status || ' ' || phase FROM feedback_importjob WHERE id = %s"
DONE = "SELECT done FROM feedback_importjob WHERE id = %s AND status = 'running' AND phase = %s"
COUNTS = """
SELECT count(*)::text || ' ' || count(DISTINCT (movie_id, watched_on))::text
FROM feedback_diaryentry WHERE user_id = (SELECT user_id FROM feedback_importjob WHERE id = %s)
"""
ROWS = """
SELECT count(*)::text || ' ' || count(DISTINCT number)::text
FROM feedback_importrow WHERE job_id = %s
"""


def brought(site, name: str) -> str:
    """The id of an import that has just been handed in."""
    made = site.script(BRING.format(viewings=VIEWINGS, strangers=STRANGERS, name=name))
    return made.stdout.split()[-1]


def kill_in(site, pk: str, phase: str) -> float:
    """Kills the Celery process once the phase has got somewhere; seconds until it gets on."""
    is_at_it = f"the import in its phase {phase!r}"
    site.wait(lambda: (site.ask(DONE, pk, phase) or 0) > 0, 120, is_at_it)
    (child,) = site.children("worker")
    os.kill(child, signal.SIGKILL)
    at = site.ask("SELECT done FROM feedback_importjob WHERE id = %s", pk)
    assert site.ask(STATE, pk) == f"running {phase}", "killed too late to say anything"
    return site.wait(
        lambda: site.ask(DONE, pk, phase) not in {None, at} or not is_open(site, pk),
        120,
        "another process going on with the import",
    )


def is_open(site, pk: str) -> bool:
    """Somebody is at it, or will be."""
    return site.ask(STATE, pk).split()[0] in {"queued", "running"}


@pytest.mark.parametrize("phase", ["match", pytest.param("apply", marks=pytest.mark.faults)])
def test_the_celery_child_dies_in_an_import(site, matrix, phase):
    pk = brought(site, phase)
    worker = site.pid("worker")
    if phase == "match":
        healed_s = kill_in(site, pk, phase)
    site.wait(lambda: not is_open(site, pk), 240, "the import read")
    assert site.ask(STATE, pk) == "ready match"
    assert site.ask(ROWS, pk) == f"{VIEWINGS + STRANGERS} {VIEWINGS + STRANGERS}"
    assert site.ask(COUNTS, pk) == "0 0"
    site.script(APPLY.format(pk=pk))
    if phase == "apply":
        healed_s = kill_in(site, pk, phase)
    site.wait(lambda: not is_open(site, pk), 240, "the import written")
    assert site.ask(STATE, pk) == "done apply"
    assert site.ask(COUNTS, pk) == f"{VIEWINGS} {VIEWINGS}"
    assert site.pid("worker") == worker
    matrix.add(
        Row(
            f"kill -9 of the Celery child while it {'reads' if phase == 'match' else 'writes'} "
            "an import",
            "all pages; the worker starts another child, which goes on behind the last batch",
            "progress that stands still for as long as a lease (30 s)",
            healed_s,
            statuses=f"{VIEWINGS:,} of {VIEWINGS:,} rows, each once",
        )
    )
