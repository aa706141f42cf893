"""Cloud SQL: operations."""
