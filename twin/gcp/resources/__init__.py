"""The resource types of the Google provider."""
