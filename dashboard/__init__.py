"""Numbers for people and for staff."""
