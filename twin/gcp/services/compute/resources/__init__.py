"""Compute Engine: resource types of the provider."""
