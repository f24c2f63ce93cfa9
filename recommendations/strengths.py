"""How strong the served list's re-ranking is; ``benchmarks/reranking.py`` says what it costs."""

from dataclasses import astuple

from ml.shortlist import Strengths

SERVED = Strengths(taste=0.3, genres=0.5, ignored=0.5, variety=0.8, max_repeats=0.7)
# A stored list of other strengths is another list.
FINGERPRINT = "/".join(f"{value:g}" for value in astuple(SERVED))
