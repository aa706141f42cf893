"""BigQuery Data Policy."""
