"""The add-ons that EKS offers, as data: a selection of each one's versions, not EKS's whole list.

Seen elsewhere: most versions of vpc-cni, kube-proxy, coredns, eks-pod-identity-agent, aws-ebs-csi-driver,
metrics-server and eks-node-monitoring-agent stand in public configurations or in output of the AWS CLI of
2025 and 2026. Not verified: a few of those, the ranges of Kubernetes versions of each (which AWS tells by its
API alone), the other add-ons' versions, and whether the keys, the top-level ones of an add-on's configuration
schema, are complete.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from twin.aws.services.eks.operations.versions import minor

_POD: Final = ("affinity", "nodeSelector", "podAnnotations", "podLabels", "resources", "tolerations")


@dataclass(frozen=True)
class Offer:
    """One add-on. versions: (add-on version, first and last Kubernetes minor), newest first."""

    name: str
    kind: str
    namespace: str
    versions: tuple[tuple[str, int, int], ...]
    keys: frozenset[str]
    service_accounts: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    needs_nodes: bool = False
    """A Deployment: DEGRADED or CREATING until there are nodes."""

    def for_version(self, kubernetes: str) -> list[str]:
        """The add-on versions for a Kubernetes version, newest first."""
        number = minor(kubernetes)
        return [version for version, first, last in self.versions if first <= number <= last]


@dataclass(frozen=True)
class _Row:
    name: str
    kind: str
    versions: tuple[tuple[str, int, int], ...]
    keys: tuple[str, ...]
    namespace: str = "kube-system"
    more: dict[str, Any] = field(default_factory=dict[str, Any])

    def offer(self) -> Offer:
        return Offer(self.name, self.kind, self.namespace, self.versions, frozenset(self.keys), **self.more)


_ROWS: Final = (
    _Row(
        "vpc-cni",
        "networking",
        (
            ("v1.22.4-eksbuild.3", 30, 36),
            ("v1.21.1-eksbuild.1", 30, 35),
            ("v1.20.5-eksbuild.1", 30, 35),
            ("v1.20.4-eksbuild.2", 30, 34),
            ("v1.19.6-eksbuild.7", 30, 33),
        ),
        (
            "additionalEnvVars",
            "affinity",
            "cniConfig",
            "enableNetworkPolicy",
            "enableWindowsIpam",
            "enableWindowsPrefixDelegation",
            "env",
            "eniConfig",
            "extraVolumeMounts",
            "extraVolumes",
            "init",
            "livenessProbeTimeoutSeconds",
            "minimumWindowsIPTarget",
            "nodeAgent",
            "nodeSelector",
            "originalMatchLabels",
            "podAnnotations",
            "podLabels",
            "readinessProbeTimeoutSeconds",
            "resources",
            "tolerations",
            "warmWindowsIPTarget",
            "warmWindowsPrefixTarget",
        ),
        more={"service_accounts": ("aws-node",), "policies": ("AmazonEKS_CNI_Policy",)},
    ),
    _Row(
        "kube-proxy",
        "networking",
        (
            ("v1.36.0-eksbuild.21", 36, 36),
            ("v1.35.2-eksbuild.4", 35, 35),
            ("v1.35.0-eksbuild.2", 35, 35),
            ("v1.34.5-eksbuild.2", 34, 34),
            ("v1.34.1-eksbuild.2", 34, 34),
            ("v1.33.8-eksbuild.4", 33, 33),
            ("v1.33.5-eksbuild.2", 33, 33),
            ("v1.32.11-eksbuild.5", 32, 32),
            ("v1.31.14-eksbuild.5", 31, 31),
            ("v1.30.14-eksbuild.20", 30, 30),
        ),
        (
            "affinity",
            "ipvs",
            "mode",
            "nodeSelector",
            "podAnnotations",
            "podLabels",
            "resources",
            "tolerations",
        ),
    ),
    _Row(
        "coredns",
        "networking",
        (
            ("v1.14.3-eksbuild.16", 34, 36),
            ("v1.13.2-eksbuild.4", 33, 36),
            ("v1.12.4-eksbuild.10", 32, 35),
            ("v1.12.4-eksbuild.1", 31, 34),
            ("v1.11.4-eksbuild.28", 30, 33),
        ),
        (
            "affinity",
            "autoScaling",
            "computeType",
            "corefile",
            "nodeSelector",
            "podAnnotations",
            "podDisruptionBudget",
            "podLabels",
            "replicaCount",
            "resources",
            "tolerations",
            "topologySpreadConstraints",
            "tolerationSeconds",
        ),
        more={"needs_nodes": True},
    ),
    _Row(
        "eks-pod-identity-agent",
        "security",
        (("v1.3.10-eksbuild.3", 30, 36), ("v1.3.9-eksbuild.3", 30, 35), ("v1.3.8-eksbuild.2", 30, 34)),
        (
            "affinity",
            "agent",
            "daemonsets",
            "init",
            "nodeSelector",
            "podAnnotations",
            "podLabels",
            "priorityClassName",
            "resources",
            "tolerations",
            "updateStrategy",
        ),
    ),
    _Row(
        "aws-ebs-csi-driver",
        "storage",
        (
            ("v1.62.0-eksbuild.1", 30, 36),
            ("v1.59.0-eksbuild.1", 30, 36),
            ("v1.56.0-eksbuild.1", 30, 35),
            ("v1.53.0-eksbuild.1", 30, 34),
        ),
        (
            "additionalDaemonSets",
            "controller",
            "customLabels",
            "debugLogs",
            "defaultStorageClass",
            "fips",
            "image",
            "node",
            "nodeComponentOnly",
            "proxy",
            "sidecars",
            "snapshotter",
            "storageClasses",
            "useOldCSIDriver",
            "volumeSnapshotClasses",
        ),
        more={
            "service_accounts": ("ebs-csi-controller-sa",),
            "policies": ("service-role/AmazonEBSCSIDriverPolicy",),
            "needs_nodes": True,
        },
    ),
    _Row(
        "aws-efs-csi-driver",
        "storage",
        (("v3.1.0-eksbuild.1", 30, 36), ("v2.1.15-eksbuild.1", 30, 35)),
        ("controller", "fips", "image", "node", "replicaCount", "sidecars", "storageClasses", "useFIPS"),
        more={
            "service_accounts": ("efs-csi-controller-sa",),
            "policies": ("service-role/AmazonEFSCSIDriverPolicy",),
            "needs_nodes": True,
        },
    ),
    _Row(
        "aws-fsx-csi-driver",
        "storage",
        (("v1.9.0-eksbuild.1", 30, 36), ("v1.8.0-eksbuild.1", 30, 35)),
        ("controller", "image", "node", "sidecars"),
        more={
            "service_accounts": ("fsx-csi-controller-sa",),
            "policies": ("AmazonFSxFullAccess",),
            "needs_nodes": True,
        },
    ),
    _Row(
        "aws-mountpoint-s3-csi-driver",
        "storage",
        (("v2.4.1-eksbuild.1", 30, 36), ("v2.2.2-eksbuild.1", 30, 35)),
        (
            "controller",
            "experimental",
            "fullnameOverride",
            "mountpointPod",
            "nameOverride",
            "node",
            "sidecars",
        ),
        more={"service_accounts": ("s3-csi-driver-sa",)},
    ),
    _Row(
        "snapshot-controller",
        "storage",
        (("v8.5.0-eksbuild.1", 30, 36), ("v8.3.0-eksbuild.1", 30, 35)),
        (
            "affinity",
            "args",
            "nodeSelector",
            "podAnnotations",
            "podLabels",
            "replicaCount",
            "resources",
            "tolerations",
        ),
        more={"needs_nodes": True},
    ),
    _Row(
        "metrics-server",
        "observability",
        (("v0.8.1-eksbuild.4", 30, 36), ("v0.8.0-eksbuild.6", 30, 35), ("v0.7.2-eksbuild.4", 30, 33)),
        (
            "addonResizer",
            "affinity",
            "args",
            "commonLabels",
            "containerPort",
            "deploymentAnnotations",
            "dnsConfig",
            "hostNetwork",
            "nodeSelector",
            "podAnnotations",
            "podDisruptionBudget",
            "podLabels",
            "priorityClassName",
            "replicas",
            "resources",
            "schedulerName",
            "service",
            "tmpVolume",
            "tolerations",
            "topologySpreadConstraints",
            "updateStrategy",
        ),
        more={"needs_nodes": True},
    ),
    _Row(
        "eks-node-monitoring-agent",
        "observability",
        (("v1.6.1-eksbuild.1", 30, 36), ("v1.5.2-eksbuild.1", 30, 36), ("v1.4.2-eksbuild.1", 30, 35)),
        (
            "affinity",
            "dcgmAgent",
            "monitoringAgent",
            "nodeAgent",
            "nodeSelector",
            "podAnnotations",
            "podLabels",
            "resources",
            "tolerations",
            "updateStrategy",
        ),
    ),
    _Row(
        "amazon-cloudwatch-observability",
        "observability",
        (("v4.10.1-eksbuild.1", 30, 36), ("v4.7.0-eksbuild.1", 30, 35)),
        (
            "admissionWebhooks",
            "affinity",
            "agent",
            "agents",
            "clusterName",
            "containerLogs",
            "dcgmExporter",
            "k8sMode",
            "manager",
            "neuronMonitor",
            "nodeSelector",
            "region",
            "tolerations",
        ),
        "amazon-cloudwatch",
        {
            "service_accounts": ("cloudwatch-agent",),
            "policies": ("CloudWatchAgentServerPolicy", "AWSXrayWriteOnlyAccess"),
            "needs_nodes": True,
        },
    ),
    _Row(
        "kube-state-metrics",
        "observability",
        (("v2.18.0-eksbuild.1", 30, 36), ("v2.17.0-eksbuild.4", 30, 35)),
        (*_POD, "collectors", "extraArgs", "metricLabelsAllowlist", "prometheus", "replicas"),
        "kube-state-metrics",
        {"needs_nodes": True},
    ),
    _Row(
        "prometheus-node-exporter",
        "observability",
        (("v1.10.2-eksbuild.8", 30, 36), ("v1.9.1-eksbuild.7", 30, 35)),
        (*_POD, "extraArgs", "prometheus", "service"),
        "prometheus-node-exporter",
    ),
    _Row(
        "cert-manager",
        "security",
        (("v1.20.1-eksbuild.1", 30, 36), ("v1.19.2-eksbuild.1", 30, 35)),
        (*_POD, "cainjector", "crds", "global", "prometheus", "replicaCount", "startupapicheck", "webhook"),
        "cert-manager",
        {"needs_nodes": True},
    ),
    _Row(
        "external-dns",
        "networking",
        (("v0.21.0-eksbuild.1", 30, 36), ("v0.19.0-eksbuild.3", 30, 35)),
        (*_POD, "domainFilters", "extraArgs", "interval", "policy", "provider", "sources", "txtOwnerId"),
        "external-dns",
        {
            "service_accounts": ("external-dns",),
            "policies": ("AmazonRoute53FullAccess",),
            "needs_nodes": True,
        },
    ),
    _Row(
        "aws-secrets-store-csi-driver-provider",
        "security",
        (("v2.2.1-eksbuild.1", 30, 36), ("v2.1.1-eksbuild.1", 30, 35)),
        (*_POD, "secrets-store-csi-driver", "useFipsEndpoint", "k8sThrottlingParams"),
        "aws-secrets-manager",
    ),
    _Row(
        "aws-guardduty-agent",
        "security",
        (("v1.13.1-eksbuild.2", 30, 36), ("v1.12.1-eksbuild.2", 30, 35)),
        ("affinity", "dnsPolicy", "priorityClassName", "resources", "tolerations"),
        "amazon-guardduty",
    ),
    _Row(
        "adot",
        "observability",
        (("v0.141.0-eksbuild.1", 30, 36), ("v0.131.0-eksbuild.1", 30, 35)),
        (*_POD, "admissionWebhooks", "collector", "kubeRBACProxy", "manager", "replicaCount"),
        "opentelemetry-operator-system",
        {"needs_nodes": True},
    ),
)
ADDONS: Final = {row.name: row.offer() for row in _ROWS}
