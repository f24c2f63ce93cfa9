"""Joins people and films through ``ml``: training, the model registry, serving, reasons."""
