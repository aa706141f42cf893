"""AWS Lambda, whose functions run as processes."""
