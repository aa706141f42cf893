"""IAM: resource types of the provider."""
