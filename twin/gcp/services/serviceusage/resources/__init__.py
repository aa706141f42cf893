"""Service Usage: resource types of the provider."""
