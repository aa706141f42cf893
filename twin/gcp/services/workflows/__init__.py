"""Google Workflows."""
