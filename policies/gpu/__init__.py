"""Accelerators: which are allowed, how many, and for which workloads."""
