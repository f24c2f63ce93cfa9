"""What The Movie Database (TMDB) knows about films: fetched in batches, off the pages' path."""
