"""The GPU pool on AWS."""
