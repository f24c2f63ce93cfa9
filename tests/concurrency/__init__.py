"""What happens when everybody does it at the same moment, on a real Postgres."""
