"""A two-tower model of what users click next, trained on a pinned snapshot of examples."""
