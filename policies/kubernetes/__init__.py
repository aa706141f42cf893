"""Workloads in clusters, and their permissions."""
