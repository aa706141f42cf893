"""The GPU pool on Google Cloud."""
