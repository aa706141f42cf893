"""Former ids of policies. An exemption or a configuration that uses one gets an error that states the new
id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

RENAMED: Final[Mapping[str, str]] = {
    "data.grant_without_acls": "data.forbid_object_acls",
    "data.recover_tables": "data.enable_point_in_time_recovery",
    "encryption.use_every_key": "encryption.forbid_unused_keys",
    "gpu.serve_on_lasting_nodes": "gpu.avoid_spot_for_serving",
    "network.choose_subnets": "network.forbid_default_networks",
    "network.close_default_security_groups": "network.restrict_default_security_groups",
    "network.close_endpoints": "network.restrict_cluster_endpoints",
    "network.close_functions": "network.restrict_functions",
    "reliability.guard_deletion": "reliability.enable_deletion_protection",
}
"""Former id -> id."""
