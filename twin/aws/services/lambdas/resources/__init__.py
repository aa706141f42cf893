"""AWS Lambda: resource types of the provider."""
