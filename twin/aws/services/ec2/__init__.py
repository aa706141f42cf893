"""Amazon EC2: networks, instances, launch templates, capacity."""
