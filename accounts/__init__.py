"""Who: people, how they log in, what they set."""
