"""Cloud Storage: operations."""
