"""Cloud Run: resource types of the provider."""
