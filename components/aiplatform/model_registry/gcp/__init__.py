"""The model registry on Google Cloud."""
