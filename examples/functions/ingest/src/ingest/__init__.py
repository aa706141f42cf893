"""Registers events of files that arrive in raw in a table of curated."""
