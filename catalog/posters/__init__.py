"""Drawn posters: Swiss-modern geometry from a film's id, genres, year and country, as SVG.

Pure functions without Django: ``draw_poster`` (2:3, with the title), ``draw_backdrop`` (16:9) and
``draw_thumb`` (square) give the same picture for the same film on every machine.
"""

from catalog.posters.compose import draw_backdrop, draw_poster, draw_thumb
from catalog.posters.spec import POSTER_VERSION, PosterSpec

__all__ = ["POSTER_VERSION", "PosterSpec", "draw_backdrop", "draw_poster", "draw_thumb"]
