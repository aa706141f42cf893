"""Glue: federated catalogs."""
