"""A cluster that something belongs to, and a node group of a pool: the shapes in which Cluster and the pools
give their outputs.

The reference to a cluster takes every key that Cluster gives, so that its outputs can be handed on as they
are; which keys count is said here.
"""

from dataclasses import dataclass
from typing import NotRequired, TypedDict

from pulumi import Input


class ClusterReferenceArgs(TypedDict):
    """A cluster, as Cluster.outputs gives it."""

    name: Input[str]
    """The cluster's name."""
    version: NotRequired[Input[str]]
    """Kubernetes' minor version, `1.36`. Node groups follow it; without it they keep the one they were made
    with."""
    security_group_id: Input[str]
    """The cluster security group that EKS made: control plane and nodes talk inside it."""
    node_role_arn: NotRequired[Input[str]]
    """A role that all nodes share; without it a pool makes its own."""
    arn: NotRequired[Input[str]]
    """The cluster's arn."""
    endpoint: NotRequired[Input[str]]
    """The URL of the Kubernetes API."""
    certificate_authority: NotRequired[Input[str]]
    """The CA of the API's certificate, PEM in base64."""
    service_cidr: NotRequired[Input[str]]
    """Addresses of Kubernetes Services."""
    oidc_issuer: NotRequired[Input[str]]
    """The issuer of service account tokens, a URL."""
    oidc_provider_arn: NotRequired[Input[str]]
    """The issuer as IAM knows it."""
    kubeconfig: NotRequired[Input[str]]
    """A kubeconfig as JSON, without a secret."""
    kms_key_arn: NotRequired[Input[str]]
    """The key of secrets and control-plane logs."""
    volume_key_arn: NotRequired[Input[str]]
    """The key that encrypts the volumes of nodes; it must let EC2 Auto Scaling use it. Without it AWS's own
    key for EBS does."""


@dataclass(frozen=True)
class ClusterReference:
    """A checked ClusterReferenceArgs."""

    name: Input[str]
    security_group_id: Input[str]
    version: Input[str] | None = None
    node_role_arn: Input[str] | None = None
    arn: Input[str] | None = None
    endpoint: Input[str] | None = None
    certificate_authority: Input[str] | None = None
    service_cidr: Input[str] | None = None
    oidc_issuer: Input[str] | None = None
    oidc_provider_arn: Input[str] | None = None
    kubeconfig: Input[str] | None = None
    kms_key_arn: Input[str] | None = None
    volume_key_arn: Input[str] | None = None


class NodeGroupReferenceArgs(TypedDict):
    """A node group of a pool, as the pool's outputs give it and the autoscaler needs to know it."""

    name: NotRequired[Input[str]]
    """Its name in EKS."""
    capacity: NotRequired[str]
    """`reserved`, `spot` or `on_demand`."""
    priority: int
    """For the priority expander, which takes the highest."""
    autoscaling_group: Input[str]
    """The name of its Auto Scaling group."""


@dataclass(frozen=True)
class NodeGroupReference:
    """A checked NodeGroupReferenceArgs."""

    priority: int
    autoscaling_group: Input[str]
    name: Input[str] | None = None
    capacity: str | None = None
