"""Which account and region an environment is in."""
