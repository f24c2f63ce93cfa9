"""Roll-ups of the append-only log, by day and hour."""
