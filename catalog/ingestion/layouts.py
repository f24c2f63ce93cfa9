"""The shapes in which MovieLens has been published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalog.ingestion.errors import IngestionError
from catalog.models import ExternalId


@dataclass(frozen=True)
class Layout:
    """One shape: which files, and how their rows are cut.

    ``has_header``: the first row names the columns. ``id_source``: whose numbers the films have.
    """

    name: str
    movies: str
    ratings: str
    separator: str
    has_header: bool = False
    id_source: ExternalId.Source = ExternalId.Source.MOVIELENS

    @property
    def is_parquet(self) -> bool:
        """Whether the ratings are no text."""
        return self.ratings.endswith(".parquet")


# ratings.parquet before ratings.dat: where a folder has both, the first holds each person's order.
LAYOUTS = (
    Layout("csv", "movies.csv", "ratings.csv", ",", has_header=True),
    Layout("parquet", "movies.dat", "ratings.parquet", "::"),
    Layout("dat", "movies.dat", "ratings.dat", "::"),
    Layout("ml-100k", "u.item", "u.data", "\t", id_source=ExternalId.Source.MOVIELENS_100K),
)


@dataclass(frozen=True)
class Dataset:
    """A folder in a known shape."""

    folder: Path
    layout: Layout

    @property
    def movies(self) -> Path:
        """The films."""
        return self.folder / self.layout.movies

    @property
    def ratings(self) -> Path:
        """The ratings."""
        return self.folder / self.layout.ratings

    def optional(self, name: str) -> Path | None:
        """A file that not every release has."""
        path = self.folder / name
        return path if path.is_file() else None


def detect(folder: Path) -> Dataset:
    """The dataset in ``folder``, or in its only subfolder that holds one.

    Raises ``IngestionError`` naming what is missing.
    """
    try:
        subfolders = sorted(path for path in folder.iterdir() if path.is_dir())
        names = {path.name for path in folder.iterdir()}
    except OSError as error:
        raise IngestionError(f"{folder} cannot be read: {error.strerror}.") from error
    found = [
        Dataset(place, layout)
        for place in (folder, *subfolders)
        for layout in LAYOUTS
        if (place / layout.movies).is_file() and (place / layout.ratings).is_file()
    ]
    if found:
        here = [dataset for dataset in found if dataset.folder == found[0].folder]
        if len({dataset.folder for dataset in found}) > 1 and found[0].folder != folder:
            places = ", ".join(sorted({dataset.folder.name for dataset in found}))
            raise IngestionError(f"{folder} holds several datasets ({places}). Name one of them.")
        return here[0]
    for layout in LAYOUTS:
        for present, absent in ((layout.movies, layout.ratings), (layout.ratings, layout.movies)):
            if present in names and not any(
                other.movies in names and other.ratings in names for other in LAYOUTS
            ):
                raise IngestionError(f"{folder} has {present} but no {absent}: both are needed.")
    wanted = ", ".join(f"{layout.movies} + {layout.ratings}" for layout in LAYOUTS)
    raise IngestionError(f"{folder} holds no MovieLens dataset; looked for {wanted}.")
