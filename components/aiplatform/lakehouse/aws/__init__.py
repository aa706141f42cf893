"""The lakehouse on AWS."""
