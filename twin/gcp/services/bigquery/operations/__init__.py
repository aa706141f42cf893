"""BigQuery: operations."""
