"""The model registry on AWS."""
