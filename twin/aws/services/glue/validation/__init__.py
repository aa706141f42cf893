"""AWS Glue: what it refuses."""
