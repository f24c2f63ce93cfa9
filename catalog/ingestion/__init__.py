"""Reading MovieLens files: finding them, checking them, bringing them in."""
