"""Images and charts of an environment, and copies of them."""
