"""What the modules of a network on Google Cloud share."""

from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network

from aiplatform._shared.context import Context
from aiplatform.network.args import NetworkSettings
from aiplatform.network.gcp.planning import Plan, plan


@dataclass(frozen=True)
class VpcContext(Context[NetworkSettings]):
    """The component, its settings, and the plan of its ranges."""

    @property
    def project(self) -> str:
        """The project's id."""
        return self.settings.gcp.project or ""

    @property
    def region(self) -> str:
        """The region of the subnets."""
        return self.settings.gcp.region or ""

    @cached_property
    def plan(self) -> Plan:
        """The ranges of the subnets."""
        return plan(IPv4Network(self.settings.cidr))

    def physical_name(self, purpose: str) -> str:
        """Return `{prefix}-{purpose}`."""
        return f"{self.settings.prefix}-{purpose}"
