"""The checks of an AWS account."""
