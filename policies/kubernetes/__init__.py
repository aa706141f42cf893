"""Workloads in clusters, and their permissions.

Pods are found in built-in kinds, in custom resources and in the values of Helm releases. The guardrails of
a cluster refuse the same at admission for what users create; these policies evaluate what programs declare,
before it exists.
"""
