"""Cloud Storage: resource types of the provider."""
