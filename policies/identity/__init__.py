"""Permissions of identities, and trust in them."""
