"""What runs, what waits and what it depends on: for the status page and for Prometheus."""
