"""Compute Engine: operations."""
