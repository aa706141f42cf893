"""BigQuery: resource types of the provider."""
