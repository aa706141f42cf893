"""Amazon EC2: resource types of the provider."""
