"""IAM: operations."""
