"""Posters and backdrops on our own disk.

They are fetched by a command or a worker, never while a page or a picture is being asked for; a
film without one gets a drawn one. Each lies in every size that we serve, in a folder named for its
content, so that its address may be cached for ever.
"""

from __future__ import annotations

import hashlib
import os
import queue
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from catalog.models import CachedImage, Movie
from catalog.tmdb.errors import TmdbError
from catalog.tmdb.pictures import NotAPictureError, Picture, read_picture
from catalog.tmdb.transport import Limits, Transport

Kind = CachedImage.Kind
# TMDB's own sizes: nothing is scaled here. The first is the default, the last the biggest.
SIZES: dict[str, tuple[str, ...]] = {
    Kind.POSTER: ("w342", "w185", "w780"),
    Kind.BACKDROP: ("w1280", "w780"),
}
LIMITS = Limits(connect_s=3.05, read_s=10.0, total_s=20.0, max_bytes=2 << 20)
TRY_AGAIN_AFTER = timedelta(days=7)


class ImageError(Exception):
    """A picture that could not be had; the message says why."""


@dataclass(frozen=True)
class Wanted:
    """A picture that TMDB has and we do not."""

    movie_id: int
    kind: str
    remote_path: str


@dataclass(frozen=True)
class ImageFile:
    """A picture to serve."""

    path: Path
    media_type: str


def images_wanted(
    *, now: datetime, movie_ids: Collection[int] | None = None, limit: int | None = None
) -> list[Wanted]:
    """Pictures to fetch, the most rated films' first."""
    wanted: list[tuple[int, int, Wanted]] = []
    for kind in Kind:
        field = f"{kind}_path"
        films = Movie.objects.exclude(**{field: ""}).order_by("-rating_count", "pk")
        if movie_ids is not None:
            films = films.filter(pk__in=movie_ids)
        waiting = CachedImage.objects.filter(kind=kind, remote_path=F(f"movie__{field}")).filter(
            ~Q(digest="") | Q(next_try_at__gt=now)
        )
        films = films.exclude(pk__in=waiting.values("movie_id"))
        rows = films.values_list("pk", field, "rating_count")[:limit]
        wanted += [(-count, pk, Wanted(pk, kind.value, path)) for pk, path, count in rows]
    wanted.sort(key=lambda item: (item[0], item[1], item[2].kind != Kind.POSTER))
    return [item for _, _, item in wanted][:limit]


def images_cache(
    wanted: Iterable[Wanted],
    *,
    threads: int = 4,
    on_done: Callable[[int], None] | None = None,
    now: Callable[[], datetime] = timezone.now,
) -> Counter[str]:
    """Fetch these with several threads; returns how many are "cached" and how many "failed"."""
    transport = Transport(settings.TMDB_IMAGE_URL, limits=LIMITS)
    tasks: queue.SimpleQueue[Wanted | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[str | BaseException] = queue.SimpleQueue()
    total = 0
    for item in wanted:
        tasks.put(item)
        total += 1

    def work() -> None:
        try:
            while (item := tasks.get()) is not None:
                try:
                    done.put("cached" if image_fetch(item, transport, now=now) else "failed")
                except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
                    done.put(error)
                    return
        finally:
            transport.close()
            connection.close()

    workers = [threading.Thread(target=work, daemon=True) for _ in range(min(threads, total))]
    for _ in workers:
        tasks.put(None)
    for worker in workers:
        worker.start()
    counts: Counter[str] = Counter()
    for number in range(total):
        outcome = done.get()
        if isinstance(outcome, BaseException):
            raise outcome
        counts[outcome] += 1
        if on_done:
            on_done(number + 1)
    for worker in workers:
        worker.join()
    return counts


def image_fetch(item: Wanted, transport: Transport, *, now: Callable[[], datetime]) -> bool:
    """Fetch one picture in all its sizes and note it; False, with the reason noted, where not."""
    try:
        digest, picture = _fetch_sizes(item, transport)
    except (TmdbError, ImageError, NotAPictureError) as error:
        _note(item, now=now(), reason=str(error)[:200], next_try_at=now() + TRY_AGAIN_AFTER)
        return False
    _note(item, now=now(), digest=digest, media_type=picture.media_type)
    return True


def image_file(movie: Movie, kind: str, size: str = "") -> ImageFile | None:
    """The cached picture of a film, without asking anybody; None where there is none."""
    digest = image_digest(movie, kind)
    if not digest:
        return None
    name = size if size in SIZES[kind] else SIZES[kind][0]
    path = _folder(digest) / name
    try:
        with path.open("rb") as file:
            picture = read_picture(file.read(64 << 10))
    except (OSError, NotAPictureError):
        # Swept away or damaged by hand: the drawn one is served until the command fetches it anew.
        return None
    return ImageFile(path, picture.media_type)


def image_digest(movie: Movie, kind: str) -> str:
    """Names the cached picture; "" where there is none."""
    return movie.poster_digest if kind == Kind.POSTER else movie.backdrop_digest


def images_forget(movie_ids: Collection[int]) -> None:
    """Take the pictures of these films off the disk, once the transaction holds."""
    digests = set(
        CachedImage.objects.filter(movie_id__in=movie_ids)
        .exclude(digest="")
        .values_list("digest", flat=True)
    )
    CachedImage.objects.filter(movie_id__in=movie_ids).delete()
    Movie.objects.filter(pk__in=movie_ids).update(poster_digest="", backdrop_digest="")
    transaction.on_commit(lambda: _sweep(digests))


def images_lost_forget() -> int:
    """Forget pictures that are noted but not on the disk, as after a restore; returns how many."""
    noted = CachedImage.objects.exclude(digest="").values_list("pk", "movie_id", "kind", "digest")
    lost = [row for row in noted if not _folder(row[3]).is_dir()]
    with transaction.atomic():
        CachedImage.objects.filter(pk__in=[row[0] for row in lost]).delete()
        for kind in Kind:
            films = [row[1] for row in lost if row[2] == kind]
            Movie.objects.filter(pk__in=films).update(**{f"{kind}_digest": ""})
    return len(lost)


def _sweep(digests: set[str]) -> None:
    still_used = set(
        CachedImage.objects.filter(digest__in=digests).values_list("digest", flat=True)
    )
    for digest in digests - still_used:
        shutil.rmtree(_folder(digest), ignore_errors=True)


def _fetch_sizes(item: Wanted, transport: Transport) -> tuple[str, Picture]:
    sizes: dict[str, bytes] = {}
    for name in SIZES[item.kind]:
        answer = transport.get(f"/{name}{item.remote_path}")
        if answer.status != 200:
            raise ImageError(f"TMDB answered {answer.status}")
        sizes[name] = answer.body
    pictures = {name: read_picture(body) for name, body in sizes.items()}
    biggest = SIZES[item.kind][-1]
    digest = hashlib.sha256(b"".join(sizes[name] for name in SIZES[item.kind])).hexdigest()[:32]
    _place(sizes, _folder(digest))
    return digest, pictures[biggest]


def _place(sizes: dict[str, bytes], folder: Path) -> None:
    """All sizes or none: written beside, then renamed."""
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        for name, body in sizes.items():
            with (beside / name).open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
        # mkdtemp's folder is for us alone; a web server of another user reads these too.
        beside.chmod(0o755)
        try:
            beside.rename(folder)
        except OSError:
            # Another thread placed the same picture (two films share one).
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _folder(digest: str) -> Path:
    return Path(settings.IMAGES_DIR) / digest[:2] / digest


@transaction.atomic
def _note(
    item: Wanted,
    *,
    now: datetime,
    digest: str = "",
    media_type: str = "",
    reason: str = "",
    next_try_at: datetime | None = None,
) -> None:
    CachedImage.objects.update_or_create(
        movie_id=item.movie_id,
        kind=item.kind,
        defaults={
            "remote_path": item.remote_path,
            "digest": digest,
            "media_type": media_type,
            "reason": reason,
            "fetched_at": now,
            "next_try_at": next_try_at,
        },
    )
    if digest:
        column = f"{item.kind}_digest"
        Movie.objects.filter(pk=item.movie_id).exclude(**{column: digest}).update(
            **{column: digest}
        )
