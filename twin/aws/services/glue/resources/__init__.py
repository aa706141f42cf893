"""AWS Glue: resource types of the provider."""
