"""`aiplatform upgrades`: what of an environment is behind or near the end of its support, and the order to
follow."""
