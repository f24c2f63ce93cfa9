"""Django's backend for Postgres, with a cheaper look at connections that were idle."""
