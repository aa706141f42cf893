"""Resilience against the loss of a node, a zone or a table."""
