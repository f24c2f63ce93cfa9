"""Writes: training, promotion, batch inference, the slate log. And the one way to a list."""
