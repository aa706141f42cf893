"""BigQuery Connection."""
