"""What runs on the clusters, and with what rights."""
