"""From a sentence to conditions on films: a parser without Django, models or a network."""

from catalog.intent.chips import Chip, Kind, Names, Reading
from catalog.intent.parser import parse

__all__ = ["Chip", "Kind", "Names", "Reading", "parse"]
