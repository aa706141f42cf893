"""Amazon CloudWatch: alarms."""
