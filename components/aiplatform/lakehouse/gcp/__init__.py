"""The lakehouse on Google Cloud."""
