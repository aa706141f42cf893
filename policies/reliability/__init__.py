"""Resilience against the loss of a node, a zone or a table.

Replicas, probes, disruption budgets and maintenance windows for what serves requests; deletion protection
and backups for what stores data.
"""
