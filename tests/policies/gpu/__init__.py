"""What accelerators there are, how many, and for whom."""
