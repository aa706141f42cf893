"""The network that an environment file names in place of one that is created."""

from __future__ import annotations

from typing import cast

from aiplatform._shared.args import UNKNOWN
from aiplatform.network import NetworkReferenceArgs
from stacks.settings import Settings
from stacks.settings.generated import stated


def existing_network(settings: Settings) -> NetworkReferenceArgs | None:
    """Return the network that the file names, in the form of Network.outputs; None where one is created."""
    existing, environment = settings.network.existing, settings.environment
    if existing is None:
        return None
    args = stated(existing)
    args.pop("proxies_cidr", None)
    args.update(cloud=environment.cloud, cidr=settings.network.cidr)
    if environment.cloud == "gcp":
        # A missing project is reported by stacks/validation/environment.py.
        args.update(project=environment.project_id or UNKNOWN, region=environment.region)
        args["pods_per_node"] = settings.network.gcp.pods_per_node
    return cast(NetworkReferenceArgs, args)
