"""The add-ons, in the order that works.

Before the nodes: the Pod Identity agent, then the VPC CNI, whose role comes through the agent, and
kube-proxy. All three are DaemonSets, which are done when there is no node yet; a node becomes Ready only with
them. After the nodes: Deployments, which need nodes to become healthy.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_aws import eks, iam, kms

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.policy_documents import USE_OF_KEY, Statement, allow, document, pod_identity_trust
from aiplatform._shared.deep_merge import overlaid
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform.cluster.args import CNI_ROLE, VOLUMES_ROLE, ClusterSettings
from aiplatform.cluster.aws.addon_versions import CHOSEN_FOR, AddonVersions
from aiplatform.cluster.aws.args import Addon
from aiplatform.naming import PhysicalName

SYSTEM_TAINT: Final = "CriticalAddonsOnly"
SYSTEM_LABELS: Final = {POOL: "system"}
# On the system nodes alone: a pool of spot nodes that come and go is no place for the cluster's DNS.
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
    # Node repair acts on what it sees, so it must be on every node, whatever the taints.
    "eks-node-monitoring-agent": {
        "nodeAgent": {"tolerations": _EVERYWHERE},
        "dcgmAgent": {"tolerations": _EVERYWHERE},
    },
}

_DRIVERS_TAGS: Final = ("kubernetes.io/", "ebs.csi.aws.com/", "CSIVolume")
"""How the tags begin that the EBS driver sets itself. It does not start where it is asked for one of them
(its pkg/driver/validation.go)."""


class Addons:
    """Makes add-ons, and the roles of those that call AWS, as children of one component."""

    def __init__(
        self,
        parent: pulumi.ComponentResource,
        name: str,
        settings: ClusterSettings,
        cluster: eks.Cluster,
        cluster_name: str,
        account: Account,
    ) -> None:
        self.parent = parent
        self.name = name
        self.settings = settings
        self.cluster = cluster
        self.cluster_name = cluster_name
        self.account = account
        options = pulumi.InvokeOptions(parent=parent)
        self.versions = AddonVersions(cluster_name, settings.version, settings.eks.addons, options)

    def before_nodes(self) -> list[eks.Addon]:
        """What a node needs to become Ready."""
        agent = self._addon("eks-pod-identity-agent", [])
        cni_role, *cni_ready = self._role(
            "vpc-cni", CNI_ROLE, "aws-node", self.account.managed_policy("AmazonEKS_CNI_Policy")
        )
        cni = self._addon(
            "vpc-cni", [agent, *cni_ready], role=cni_role, service_account="aws-node", extra=self._cni()
        )
        return [agent, cni, self._addon("kube-proxy", [])]

    def after_nodes(self, nodes: pulumi.Resource, volumes_key: kms.Key) -> list[eks.Addon]:
        """What needs nodes to become healthy."""
        role, *ready = self._role(
            "aws-ebs-csi-driver",
            VOLUMES_ROLE,
            "ebs-csi-controller-sa",
            self.account.managed_policy("AmazonEBSCSIDriverPolicyV2"),
        )
        key_use = iam.RolePolicy(
            f"{self.name}-aws-ebs-csi-driver-volumes-key",
            name="encrypt-volumes",
            role=role.name,
            policy=volumes_key.arn.apply(lambda arn: document(*_use_of_key(arn))),
            opts=ResourceOptions(parent=self.parent),
        )
        # The driver makes volumes, which no tag of the add-on reaches.
        tags = {key: text for key, text in self.settings.tags.items() if not key.startswith(_DRIVERS_TAGS)}
        driver = self._addon(
            "aws-ebs-csi-driver",
            [nodes, *ready, key_use],
            role=role,
            service_account="ebs-csi-controller-sa",
            extra={"controller": {"extraVolumeTags": tags}} if tags else None,
        )
        others = ("coredns", "metrics-server", "eks-node-monitoring-agent")
        return [driver, *(self._addon(other, [nodes]) for other in others)]

    def _cni(self) -> dict[str, Any]:
        """NetworkPolicy is enforced by the CNI's own agent. Values are strings in the add-on's schema."""
        configuration: dict[str, Any] = {"enableNetworkPolicy": "true"}
        if self.settings.eks.prefix_delegation:
            configuration["env"] = {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}
        return configuration

    def _addon(
        self,
        addon: str,
        depends_on: Sequence[pulumi.Resource],
        *,
        role: iam.Role | None = None,
        service_account: str = "",
        extra: dict[str, Any] | None = None,
    ) -> eks.Addon:
        arguments = self.settings.eks.addons.get(addon, Addon())
        default = overlaid(_CONFIGURATION.get(addon, {}), extra or {})
        configuration = overlaid(default, arguments.configuration)
        associations = (
            [eks.AddonPodIdentityAssociationArgs(role_arn=role.arn, service_account=service_account)]
            if role
            else None
        )
        version = self.versions.of(addon)
        return eks.Addon(
            f"{self.name}-{addon}",
            cluster_name=self.cluster.name,
            addon_name=addon,
            addon_version=version,
            configuration_values=json.dumps(configuration, sort_keys=True) if configuration else None,
            pod_identity_associations=associations,
            # The program is the source of truth, on an upgrade too.
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags={**self.settings.tags, CHOSEN_FOR: self.versions.tag(version)},
            opts=ResourceOptions(parent=self.parent, depends_on=list(depends_on) or None),
        )

    def _role(
        self, addon: str, physical: PhysicalName, service_account: str, policy_arn: Input[str]
    ) -> tuple[iam.Role, iam.RolePolicyAttachment]:
        """A role for one add-on's service account by Pod Identity."""
        role = iam.Role(
            f"{self.name}-{addon}",
            name_prefix=physical.of(self.settings.prefix),
            description=f"Add-on {addon} of {self.cluster_name}",
            assume_role_policy=pod_identity_trust(
                self.account, self.cluster_name, _NAMESPACE, service_account
            ),
            tags=self.settings.tags,
            opts=ResourceOptions(parent=self.parent),
        )
        attachment = iam.RolePolicyAttachment(
            f"{self.name}-{addon}",
            role=role.name,
            policy_arn=policy_arn,
            opts=ResourceOptions(parent=self.parent),
        )
        return role, attachment


def _use_of_key(key_arn: str) -> list[Statement]:
    """What the EBS CSI driver needs to encrypt volumes by a key: EC2 uses it through a grant for each volume
    (aws-ebs-csi-driver, docs/install.md)."""
    return [
        allow(
            ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
            key_arn,
            {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        allow(USE_OF_KEY, key_arn),
    ]
