"""Policies tried on people: which list whom is shown, what they did with it, and what that says."""
