"""Generators of the plugin's schema, the tables of the docs and the diagram in README.md."""
