"""Releases of models: which there are, and Jobs that promote, import and roll back."""
