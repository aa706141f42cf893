"""That losing a node, a zone or a table is survived."""
