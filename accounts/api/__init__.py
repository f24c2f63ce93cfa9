"""What every operation of the API shares: who asks, what they may, and how answers behave."""
