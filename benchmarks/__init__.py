"""The public measurements: each one command, each prints a table and writes JSON."""
