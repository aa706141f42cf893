"""Bigtable: resource types of the provider."""
