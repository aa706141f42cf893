"""AWS Glue: operations."""
