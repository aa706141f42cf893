"""BigQuery Reservation."""
