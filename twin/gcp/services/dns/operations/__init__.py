"""Cloud DNS: operations."""
