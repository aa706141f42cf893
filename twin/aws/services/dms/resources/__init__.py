"""AWS Database Migration Service: resource types of the provider."""
