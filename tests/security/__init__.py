"""Who gets in, and what leaves: run by ``make security``."""
