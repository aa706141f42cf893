"""The cluster on Google Cloud."""
