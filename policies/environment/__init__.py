"""The account and the region of an environment."""
