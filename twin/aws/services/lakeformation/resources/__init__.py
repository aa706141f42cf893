"""AWS Lake Formation: resource types of the provider."""
