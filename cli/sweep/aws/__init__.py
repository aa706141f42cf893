"""What an environment can leave in an AWS account."""
