"""Films from elsewhere: reading a person's files, finding the films, and writing what they said.

``reading`` (files to rows) knows no database; ``matching`` finds films; ``effects`` turns rows into
changes; ``jobs`` does all of it in batches, with a dry run in between.
"""
