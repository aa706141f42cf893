"""Checks of a resource's inputs by the types that its SDK package carries."""
