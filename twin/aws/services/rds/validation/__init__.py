"""Amazon RDS: what it refuses."""
