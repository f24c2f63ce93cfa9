"""What: films, their facts, words and pictures; finding them."""
