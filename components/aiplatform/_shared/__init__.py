"""What the components share, by subject."""
