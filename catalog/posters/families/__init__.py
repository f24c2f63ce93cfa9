"""Compositions by genre. A family draws into a canvas of any shape, led by the film's own dice."""

from collections.abc import Callable

from catalog.posters.canvas import Canvas
from catalog.posters.families import (
    adventure,
    dark,
    heart,
    motion,
    musical,
    nerves,
    playful,
    romance,
    wonder,
)
from catalog.posters.palettes import NEUTRAL

Family = Callable[[Canvas], None]

FAMILIES: dict[str, tuple[Family, ...]] = {
    "Action": motion.ACTION,
    "Adventure": adventure.ADVENTURE,
    "Animation": playful.ANIMATION,
    "Children": playful.CHILDREN,
    "Comedy": playful.COMEDY,
    "Crime": dark.CRIME,
    "Documentary": heart.DOCUMENTARY,
    "Drama": heart.DRAMA,
    "Fantasy": wonder.FANTASY,
    "Film-Noir": dark.FILM_NOIR,
    "Horror": dark.HORROR,
    "IMAX": wonder.IMAX,
    "Musical": musical.MUSICAL,
    "Mystery": nerves.MYSTERY,
    "Romance": romance.ROMANCE,
    "Sci-Fi": wonder.SCI_FI,
    "Thriller": nerves.THRILLER,
    "War": motion.WAR,
    "Western": motion.WESTERN,
    NEUTRAL: wonder.NEUTRAL,
}

__all__ = ["FAMILIES", "Family"]
