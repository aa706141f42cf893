"""Arguments of a workload identity."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from pulumi import Input

from aiplatform._shared.args import Problem, Rule, got, matches
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.outputs import Tags, mapped_list
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.naming import GOOGLE_SERVICE_ACCOUNT, IAM_ROLE, Kind, PhysicalName, aws_tags, dns_label
from aiplatform.workload_identity.cloud_support import SUPPORT
from aiplatform.workload_identity.inputs import WorkloadIdentityArgs as WorkloadIdentityArgs

_SEPARATOR: Final = "-wi-"
"""Between prefix and name, so that no identity has the name of another component's role or account."""

NAME: Final[Rule] = matches(
    r"[a-z]([-a-z0-9]*[a-z0-9])?", "lower-case letters, digits and hyphens, a letter first, no hyphen last"
)
_PREFIX: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

LONGEST: Final[dict[Cloud, Kind]] = {"aws": IAM_ROLE, "gcp": GOOGLE_SERVICE_ACCOUNT}


def physical_name(prefix: str, name: str) -> str:
    """Return the name of the role, or the id of the service account."""
    return f"{prefix}{_SEPARATOR}{name}"


def too_long(cloud: Cloud, prefix: str, name: str) -> str | None:
    """Return the problem of the length of an identity's name under a prefix, or None."""
    return PhysicalName(LONGEST[cloud], physical_name(prefix, "{prefix}")).too_long(name)


def prefix_too_long(cloud: Cloud, prefix: str, name: str) -> str | None:
    """Return the problem of the length of a prefix before an identity's name, or None."""
    return PhysicalName(LONGEST[cloud], physical_name("{prefix}", name)).too_long(prefix)


def _prefix(value: str) -> str | None:
    if _PREFIX.fullmatch(value):
        return None
    return "expected lower-case letters and digits in words joined by single hyphens ('acme-dev')"


@dataclass(frozen=True)
class WorkloadIdentitySettings(CloudNeutral):
    """The cloud identity of the Pods of one Kubernetes service account."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: Annotated[str, _prefix]
    """First part of the physical name, `{org}-{environment}`: `{prefix}-wi-{name}`, at most 64 characters on
    AWS and 30 on Google Cloud."""
    name: Annotated[str, NAME]
    """The name of the identity: lower-case letters, digits and hyphens."""
    cluster: ClusterReference
    """The cluster that the Pods run on: `Cluster.outputs`."""
    namespace: Input[Annotated[str, dns_label]]
    """The Pods' namespace. It need not exist yet."""
    service_account: Input[Annotated[str, dns_label]]
    """The Pods' service account, a Kubernetes object. It need not exist yet; on Google Cloud it must have the
    `annotations` of the outputs."""
    tags: Annotated[Tags, aws_tags] = field(default_factory=dict[str, Input[str]])
    """Tags of every resource, in addition to the provider's default tags."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def physical_name(self) -> str:
        """Return the name of the role, or the id of the service account."""
        return physical_name(self.prefix, self.name)

    @property
    def pods(self) -> Input[str]:
        """Namespace and service account of the Pods, `models/reader`."""
        return mapped_list([self.namespace, self.service_account], lambda known: f"{known[0]}/{known[1]}")

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        reason = too_long(self.cloud, self.prefix, self.name)
        if reason:
            yield Problem("name", f"{got(self.name)}; {reason}")
        if self.cloud == "gcp" and self.cluster.workload_pool is None:
            yield Problem(
                "cluster.workload_pool", "missing; expected the cluster's workload_pool as in Cluster.outputs"
            )
