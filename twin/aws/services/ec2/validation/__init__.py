"""Amazon EC2: what it refuses."""
