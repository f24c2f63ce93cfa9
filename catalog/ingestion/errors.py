"""What stops an import, in words for the person who started it."""


class IngestionError(Exception):
    """The import cannot go on; nothing was changed. The message says what to do."""
