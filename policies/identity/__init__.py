"""Permissions of identities, and trust in them.

Roles, policies and grants of both clouds: no administrators, no wildcards, no way to further permissions,
trust that names its workload, and no secret in clear text.
"""
