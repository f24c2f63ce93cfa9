"""Writes to the catalogue."""
