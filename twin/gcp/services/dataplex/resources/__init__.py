"""Dataplex: resource types of the provider."""
