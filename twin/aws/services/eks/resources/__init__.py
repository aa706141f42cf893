"""Amazon EKS: resource types of the provider."""
