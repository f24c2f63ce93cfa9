"""One readable file per model, each with its paper and its formula."""
