"""Pub/Sub: operations."""
