"""What The Movie Database (TMDB) knows about films: fetched in batches, never while a page waits."""
