"""Amazon RDS: resource types of the provider."""
