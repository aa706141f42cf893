"""Retention of data, and access to it."""
