"""Films as vectors: what is embedded, by which encoder, and how the nearest are found."""
