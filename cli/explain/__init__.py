"""`aiplatform explain`: what a key of an environment file means, and its value in an environment."""
