"""What the components share on AWS."""
