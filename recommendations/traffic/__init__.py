"""Simulated people who use the running server through its public API."""
