"""Cloud Run: operations."""
