"""Accelerators: which are allowed, how many, and for which workloads.

Nodes with accelerators are the largest cost of the platform. The approved types and the largest numbers of
nodes and prices are options, with values for each profile.
"""
