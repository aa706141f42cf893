"""What the components share on Google Cloud."""
