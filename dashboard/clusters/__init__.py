"""Kinds of audience: found, stored, put into words, read."""
