"""The add-ons, in the order in which they can become healthy.

Before the nodes: the Pod Identity agent, then the VPC CNI, which gets its role from the agent, and
kube-proxy. All three are DaemonSets, which are healthy while there is no node; a node becomes Ready only with
them. After the nodes: Deployments, which need nodes to become healthy.
"""

import json
from collections.abc import Sequence
from typing import Any, Final, cast

import pulumi
from pulumi import Input, Output
from pulumi_aws import eks, iam

from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.policy_documents import USE_OF_KEY, Statement, allow, document, pod_identity_trust
from aiplatform._shared.deep_merge import overlaid
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform._shared.outputs import Tags, merged
from aiplatform.cluster.args import CNI_ROLE, VOLUMES_ROLE
from aiplatform.cluster.aws.addon_versions import VERSION_TAG, AddonVersions
from aiplatform.cluster.aws.args import Addon
from aiplatform.cluster.aws.context import EksContext
from aiplatform.naming import PhysicalName

SYSTEM_TAINT: Final = "CriticalAddonsOnly"
SYSTEM_LABELS: Final = {POOL: "system"}
# Only on system nodes: spot nodes, which can be reclaimed at any time, must not run the cluster's DNS.
_ON_SYSTEM_NODES: Final[dict[str, Any]] = {
    "nodeSelector": SYSTEM_LABELS,
    "tolerations": [{"key": SYSTEM_TAINT, "operator": "Exists"}],
}
_EVERYWHERE: Final = [{"operator": "Exists"}]
_NAMESPACE: Final = "kube-system"

# By the add-ons' own schemas (aws eks describe-addon-configuration).
_CONFIGURATION: Final[dict[str, dict[str, Any]]] = {
    "coredns": _ON_SYSTEM_NODES,
    "metrics-server": _ON_SYSTEM_NODES,
    # Its node part tolerates everything by itself.
    "aws-ebs-csi-driver": {"controller": _ON_SYSTEM_NODES},
    # Node repair acts on what it reports, so it must run on every node, whatever the taints.
    "eks-node-monitoring-agent": {
        "nodeAgent": {"tolerations": _EVERYWHERE},
        "dcgmAgent": {"tolerations": _EVERYWHERE},
    },
}

_DRIVER_TAGS: Final = ("kubernetes.io/", "ebs.csi.aws.com/", "CSIVolume")
"""Prefixes of the tags that the EBS driver sets itself. It does not start with one of them in its
configuration (its pkg/driver/validation.go)."""


def addon_versions(context: EksContext) -> AddonVersions:
    """Return the versions of the add-ons."""
    settings = context.settings
    return AddonVersions(context.cluster_name, settings.version, settings.eks.addons, context.invoke_options)


def addons_before_nodes(
    context: EksContext, cluster: eks.Cluster, versions: AddonVersions
) -> list[eks.Addon]:
    """Create the add-ons that a node needs to become Ready."""
    agent = _addon(context, cluster, versions, "eks-pod-identity-agent", [])
    role, attachment = _role(context, "vpc-cni", CNI_ROLE, "aws-node", "AmazonEKS_CNI_Policy")
    cni = _addon(
        context,
        cluster,
        versions,
        "vpc-cni",
        [agent, attachment],
        association=_association(role, "aws-node"),
        defaults=Output.from_input(context.settings.eks.prefix_delegation).apply(_cni),
    )
    return [agent, cni, _addon(context, cluster, versions, "kube-proxy", [])]


def addons_after_nodes(
    context: EksContext,
    cluster: eks.Cluster,
    versions: AddonVersions,
    nodes: pulumi.Resource,
    volumes_key: Key,
) -> None:
    """Create the add-ons that need nodes to become healthy."""
    account = "ebs-csi-controller-sa"
    role, attachment = _role(
        context, "aws-ebs-csi-driver", VOLUMES_ROLE, account, "AmazonEBSCSIDriverPolicyV2"
    )
    key_use = iam.RolePolicy(
        f"{context.name}-aws-ebs-csi-driver-volumes-key",
        name="encrypt-volumes",
        role=role.name,
        policy=volumes_key.arn.apply(lambda arn: document(*_use_of_key(arn))),
        opts=context.options(),
    )
    _addon(
        context,
        cluster,
        versions,
        "aws-ebs-csi-driver",
        [nodes, attachment, key_use],
        association=_association(role, account),
        defaults=_volume_tags(context.settings.tags),
    )
    for addon in ("coredns", "metrics-server", "eks-node-monitoring-agent"):
        _addon(context, cluster, versions, addon, [nodes])


def _cni(prefix_delegation: bool) -> dict[str, Any]:
    """NetworkPolicy is enforced by the CNI's own agent. Values are strings in the add-on's schema."""
    configuration: dict[str, Any] = {"enableNetworkPolicy": "true"}
    if prefix_delegation:
        configuration["env"] = {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}
    return configuration


def _volume_tags(tags: Tags) -> Output[dict[str, Any]]:
    """Return the configuration by which the driver tags the volumes that it creates, which do not get the
    tags of the add-on."""

    def configuration(known: Any) -> dict[str, Any]:
        of_volumes = {key: text for key, text in known.items() if not key.startswith(_DRIVER_TAGS)}
        return {"controller": {"extraVolumeTags": of_volumes}} if of_volumes else {}

    return Output.from_input(tags).apply(configuration)


def _addon(
    context: EksContext,
    cluster: eks.Cluster,
    versions: AddonVersions,
    addon: str,
    depends_on: Sequence[pulumi.Resource],
    *,
    association: eks.AddonPodIdentityAssociationArgs | None = None,
    defaults: Input[dict[str, Any]] | None = None,
) -> eks.Addon:
    """Create an add-on. defaults: configuration in addition to _CONFIGURATION, overridden by the
    arguments."""
    arguments = context.settings.eks.addons.get(addon, Addon())
    configuration = Output.all(defaults or {}, arguments.configuration).apply(
        lambda known: _json(overlaid(overlaid(_CONFIGURATION.get(addon, {}), known[0]), known[1]))
    )
    version = versions.of(addon)
    return eks.Addon(
        f"{context.name}-{addon}",
        cluster_name=cluster.name,
        addon_name=addon,
        addon_version=version,
        configuration_values=configuration,
        pod_identity_associations=[association] if association else None,
        # The program is the source of truth, on an upgrade too.
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="OVERWRITE",
        tags=merged(context.settings.tags, {VERSION_TAG: versions.tag(version)}),
        opts=context.options(*depends_on),
    )


def _json(configuration: dict[str, Any]) -> str | None:
    return json.dumps(_with_integers(configuration), sort_keys=True) if configuration else None


def _with_integers(value: Any) -> Any:
    """Return a value with integers as such: the protocol of component plugins has only floats."""
    if isinstance(value, dict):
        return {key: _with_integers(entry) for key, entry in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_with_integers(entry) for entry in cast("list[Any]", value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _association(role: iam.Role, service_account: str) -> eks.AddonPodIdentityAssociationArgs:
    return eks.AddonPodIdentityAssociationArgs(role_arn=role.arn, service_account=service_account)


def _role(
    context: EksContext, addon: str, physical: PhysicalName, service_account: str, policy: str
) -> tuple[iam.Role, iam.RolePolicyAttachment]:
    """Create a role for one add-on's service account, by Pod Identity. policy: one of AWS, by its name."""
    role = iam.Role(
        f"{context.name}-{addon}",
        name_prefix=physical.of(context.settings.prefix),
        description=f"Add-on {addon} of {context.cluster_name}",
        assume_role_policy=pod_identity_trust(
            context.account, context.cluster_name, _NAMESPACE, service_account
        ),
        tags=context.settings.tags,
        opts=context.options(),
    )
    attachment = iam.RolePolicyAttachment(
        f"{context.name}-{addon}",
        role=role.name,
        policy_arn=context.account.managed_policy(policy),
        opts=context.options(),
    )
    return role, attachment


def _use_of_key(key_arn: str) -> list[Statement]:
    """Return what the EBS CSI driver needs to encrypt volumes by a key: EC2 uses it through a grant for each
    volume (aws-ebs-csi-driver, docs/install.md)."""
    return [
        allow(
            ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
            key_arn,
            {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        allow(USE_OF_KEY, key_arn),
    ]
