"""Amazon EC2: operations."""
