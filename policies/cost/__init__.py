"""Cost: unused resources, and resources without an owner."""
