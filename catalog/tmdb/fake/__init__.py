"""A stand-in for TMDB on loopback: a development tool, never part of a running site."""
