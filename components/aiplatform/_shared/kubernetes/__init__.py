"""What the components share in Kubernetes."""
