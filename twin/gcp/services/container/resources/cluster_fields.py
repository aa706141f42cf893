"""GKE: how a cluster's properties and the API's fields correspond, and what the provider's schema demands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.gcp.resources.fields import Field, local, only_read
from twin.gcp.resources.validators import Validator, at_least, cidr_of, one_of, or_empty
from twin.gcp.services.container.resources import nodes
from twin.gcp.services.container.resources.pools import (
    POOL_FIELDS,
    POOL_IMMUTABLE,
    POOL_VALIDATORS,
    autoscaling,
    autoscaling_seen,
)

_NETWORK: Final = (
    "datapathProvider",
    "defaultSnatStatus",
    "disableL4LbFirewallReconciliation",
    "dnsConfig",
    "enableCiliumClusterwideNetworkPolicy",
    "enableFqdnNetworkPolicy",
    "enableMultiNetworking",
    "gatewayApiConfig",
    "inTransitEncryptionConfig",
    "networkPerformanceConfig",
    "privateIpv6GoogleAccess",
    "serviceExternalIpsConfig",
)
_VARIANT: Final = "loggingConfig.variantConfig.variant"

FIELDS: Final[Mapping[str, Field]] = {
    **{name: Field(f"networkConfig.{name}") for name in _NETWORK},
    "enableIntranodeVisibility": Field("networkConfig.enableIntraNodeVisibility"),
    "enableL4IlbSubsetting": Field("networkConfig.enableL4ilbSubsetting"),
    "dataplaneOptimizationMode": Field("networkConfig.dataplaneV2Config.scalabilityMode"),
    "addonsConfig.cloudrunConfig": Field("cloudRunConfig"),
    "addonsConfig.rayOperatorConfigs": Field("rayOperatorConfig"),
    "allowNetAdmin": Field("autopilot.workloadPolicyConfig.allowNetAdmin"),
    "autopilotPrivilegedAdmissions": Field("autopilot.privilegedAdmissionConfig.allowlistPaths"),
    "autopilotClusterPolicyConfig": Field("autopilot.clusterPolicyConfig"),
    "enableAutopilot": Field("autopilot.enabled"),
    "clusterAutoscaling": Field("autoscaling"),
    "clusterAutoscaling.enabled": Field("enableNodeAutoprovisioning"),
    "clusterAutoscaling.autoProvisioningDefaults": Field("autoprovisioningNodePoolDefaults"),
    "clusterAutoscaling.autoProvisioningDefaults.diskSize": Field("diskSizeGb"),
    "clusterAutoscaling.autoProvisioningDefaults.oauthScopes": Field(encode=nodes.scope),
    "clusterAutoscaling.autoProvisioningLocations": Field("autoprovisioningLocations"),
    "clusterAutoscaling.defaultComputeClassEnabled": Field("defaultComputeClassConfig.enabled"),
    "defaultMaxPodsPerNode": Field("defaultMaxPodsConstraint.maxPodsPerNode"),
    "enableLegacyAbac": Field("legacyAbac.enabled"),
    "enableShieldedNodes": Field("shieldedNodes.enabled"),
    "loggingConfig.enableComponents": Field("componentConfig.enableComponents"),
    "monitoringConfig.enableComponents": Field("componentConfig.enableComponents"),
    "monitoringConfig.managedPrometheus": Field("managedPrometheusConfig"),
    "minMasterVersion": Field("initialClusterVersion", read=False),
    "nodeLocations": Field("locations"),
    "nodePools": Field("nodePools"),
    **{f"nodePools.{path}": field for path, field in POOL_FIELDS.items()},
    **nodes.fields("nodePools.nodeConfig"),
    "nodePools.autoscaling": Field(encode=autoscaling, decode=autoscaling_seen),
    **nodes.fields("nodeConfig"),
    **nodes.containerd("nodePoolDefaults.nodeConfigDefaults.containerdConfig"),
    "nodePoolDefaults.nodeConfigDefaults.loggingVariant": Field(_VARIANT),
    "ipAllocationPolicy.podCidrOverprovisionConfig.disabled": Field("disable"),
    "ipAllocationPolicy.additionalIpRangesConfigs.status": Field(sent=False),
    "resourceUsageExportConfig.enableResourceConsumptionMetering": Field("consumptionMeteringConfig.enabled"),
    "fleet.membershipId": Field(sent=False, read=False),
    "fleet.membershipLocation": Field(sent=False, read=False),
    "fleet.membership": Field(sent=False),
    "fleet.preRegistered": Field(sent=False),
    "nodePoolDefaults.nodeConfigDefaults.insecureKubeletReadonlyPortEnabled": Field(
        "nodeKubeletConfig.insecureKubeletReadonlyPortEnabled"
    ),
    "nodePoolAutoConfig.resourceManagerTags": Field("resourceManagerTags.tags"),
    "notificationConfig.pubsub.filter.eventTypes": Field("eventType"),
    "enableK8sBetaApis": Field("enableK8sBetaApis"),
    # Made of several parts of the API's cluster: twin/gcp/resources/container_clusters.py does it.
    **local("controlPlaneEndpointsConfig", "masterAuthorizedNetworksConfig", "privateClusterConfig"),
    **local("maintenancePolicy", "networkingMode", "masterAuth", "networkPolicy"),
    **local("deletionProtection", "removeDefaultNodePool", "skipNodePoolRefresh", "deletionPolicy"),
    **local("ignoreNodeCountChanges", "desiredEmulatedVersion", "operation", "rollbackSafeUpgrade"),
    **only_read("endpoint", "selfLink", "servicesIpv4Cidr", "labelFingerprint", "tpuIpv4CidrBlock"),
    **only_read(
        nodeVersion="currentNodeVersion",
        masterVersion="currentMasterVersion",
        emulatedVersion="currentEmulatedVersion",
    ),
    "enterpriseConfig.clusterTier": Field(sent=False),
}

IMMUTABLE: Final = (
    frozenset(
        {"name", "location", "project", "description", "clusterIpv4Cidr", "enableKubernetesAlpha"}
        | {"enableTpu", "tpuConfig.enabled", "tpuConfig.useServiceNetworking", "enableAutopilot"}
        | {"initialNodeCount", "confidentialNodes", "masterAuth.clientCertificateConfig", "network"}
        | {"subnetwork", "networkingMode", "defaultMaxPodsPerNode", "datapathProvider"}
        | {"dataplaneOptimizationMode", "privateClusterConfig.masterIpv4CidrBlock"}
        | {"privateClusterConfig.privateEndpointSubnetwork"}
        | {"clusterAutoscaling.autoProvisioningDefaults.bootDiskKmsKey"}
        | {
            f"userManagedKeysConfig.{name}"
            for name in ("clusterCa", "etcdApiCa", "etcdPeerCa", "aggregationCa")
        }
        | {
            f"ipAllocationPolicy.{name}"
            for name in (
                "clusterIpv4CidrBlock",
                "servicesIpv4CidrBlock",
                "clusterSecondaryRangeName",
                "servicesSecondaryRangeName",
                "podCidrOverprovisionConfig",
            )
        }
    )
    | frozenset(f"nodePools.{path}" for path in POOL_IMMUTABLE)
    | nodes.immutable("nodePools.nodeConfig")
    | nodes.immutable("nodeConfig")
)

_DEFAULT: Final = "clusterAutoscaling.autoProvisioningDefaults"
NESTED_DEFAULTS: Final = {
    **nodes.defaults("nodeConfig"),
    **nodes.defaults("nodePools.nodeConfig"),
    "ipAllocationPolicy.stackType": "IPV4",
    "clusterAutoscaling.autoscalingProfile": "BALANCED",
    f"{_DEFAULT}.serviceAccount": "default",
    f"{_DEFAULT}.diskSize": 100,
    f"{_DEFAULT}.diskType": "pd-standard",
    f"{_DEFAULT}.imageType": "COS_CONTAINERD",
    f"{_DEFAULT}.shieldedInstanceConfig.enableSecureBoot": False,
    f"{_DEFAULT}.shieldedInstanceConfig.enableIntegrityMonitoring": True,
    "resourceUsageExportConfig.enableNetworkEgressMetering": False,
    "resourceUsageExportConfig.enableResourceConsumptionMetering": True,
    "dnsConfig.clusterDns": "PROVIDER_UNSPECIFIED",
    "nodePools.management.autoRepair": True,
    "nodePools.management.autoUpgrade": True,
    "nodePools.upgradeSettings.strategy": "SURGE",
}
_NAME: Final = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?")


def _name(name: str, value: Any) -> str:
    text = str(value)
    if len(text) > 40:
        return f'"{name}" ("{text}") cannot be longer than 40 characters'
    if not re.fullmatch(r"[a-z0-9-]+", text):
        return f'"{name}" ("{text}") can only contain lowercase letters, numbers and hyphens'
    if not re.match(r"[a-z]", text):
        return f'"{name}" ("{text}") must start with a letter'
    return "" if re.search(r"[a-z0-9]$", text) else f'"{name}" ("{text}") must end with a number or a letter'


def _time(name: str, value: Any) -> str:
    good = re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", str(value))
    return "" if good else f'"{name}" ("{value}") must be in the format HH:mm (RFC3339)'


def _date(name: str, value: Any) -> str:
    from datetime import datetime

    try:
        at = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        at = None
    good = at is not None and at.tzinfo is not None and "T" in str(value)
    return "" if good else f'"{name}" ("{value}") must be a date as 2026-01-01T00:00:00Z (RFC3339)'


_SERVICES: Final = ("googleapis.com", "googleapis.com/kubernetes")
VALIDATORS: Final[Mapping[str, Validator]] = {
    "name": _name,
    "releaseChannel.channel": one_of("UNSPECIFIED", "RAPID", "REGULAR", "STABLE", "EXTENDED"),
    "clusterIpv4Cidr": or_empty(cidr_of(8, 32)),
    "privateClusterConfig.masterIpv4CidrBlock": or_empty(cidr_of(28, 28)),
    "ipAllocationPolicy.stackType": one_of("IPV4", "IPV4_IPV6"),
    "datapathProvider": one_of("DATAPATH_PROVIDER_UNSPECIFIED", "LEGACY_DATAPATH", "ADVANCED_DATAPATH"),
    "networkingMode": one_of("VPC_NATIVE", "ROUTES"),
    "networkPolicy.provider": one_of("PROVIDER_UNSPECIFIED", "CALICO"),
    "gatewayApiConfig.channel": one_of("CHANNEL_DISABLED", "CHANNEL_EXPERIMENTAL", "CHANNEL_STANDARD"),
    "databaseEncryption.state": one_of("ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED", "DECRYPTED"),
    "binaryAuthorization.evaluationMode": one_of("DISABLED", "PROJECT_SINGLETON_POLICY_ENFORCE"),
    "securityPostureConfig.mode": one_of("DISABLED", "BASIC", "ENTERPRISE", "MODE_UNSPECIFIED"),
    "securityPostureConfig.vulnerabilityMode": one_of(
        "VULNERABILITY_DISABLED",
        "VULNERABILITY_BASIC",
        "VULNERABILITY_ENTERPRISE",
        "VULNERABILITY_MODE_UNSPECIFIED",
    ),
    "dnsConfig.clusterDns": one_of("PROVIDER_UNSPECIFIED", "PLATFORM_DEFAULT", "CLOUD_DNS", "KUBE_DNS"),
    "dnsConfig.clusterDnsScope": one_of("DNS_SCOPE_UNSPECIFIED", "CLUSTER_SCOPE", "VPC_SCOPE"),
    "loggingService": one_of(*(f"logging.{each}" for each in _SERVICES), "none"),
    "monitoringService": one_of(*(f"monitoring.{each}" for each in _SERVICES), "none"),
    "clusterAutoscaling.autoscalingProfile": one_of("BALANCED", "OPTIMIZE_UTILIZATION"),
    "clusterAutoscaling.resourceLimits.maximum": at_least(1),
    f"{_DEFAULT}.diskSize": at_least(10),
    f"{_DEFAULT}.diskType": one_of("pd-standard", "pd-ssd", "pd-balanced", "hyperdisk-balanced"),
    f"{_DEFAULT}.imageType": one_of("COS_CONTAINERD", "COS", "UBUNTU_CONTAINERD", "UBUNTU"),
    f"{_DEFAULT}.upgradeSettings.strategy": one_of(
        "NODE_POOL_UPDATE_STRATEGY_UNSPECIFIED", "BLUE_GREEN", "SURGE"
    ),
    "maintenancePolicy.dailyMaintenanceWindow.startTime": _time,
    "maintenancePolicy.recurringWindow.startTime": _date,
    "maintenancePolicy.recurringWindow.endTime": _date,
    "maintenancePolicy.maintenanceExclusions.startTime": _date,
    "maintenancePolicy.maintenanceExclusions.endTime": or_empty(_date),
    "maintenancePolicy.maintenanceExclusions.exclusionOptions.scope": one_of(
        "NO_UPGRADES", "NO_MINOR_UPGRADES", "NO_MINOR_OR_NODE_UPGRADES"
    ),
    "maintenancePolicy.maintenanceExclusions.exclusionOptions.endTimeBehavior": one_of(
        "UNTIL_END_OF_SUPPORT"
    ),
    "monitoringConfig.managedPrometheus.autoMonitoringConfig.scope": one_of("ALL", "NONE"),
    "inTransitEncryptionConfig": one_of(
        "IN_TRANSIT_ENCRYPTION_CONFIG_UNSPECIFIED",
        "IN_TRANSIT_ENCRYPTION_DISABLED",
        "IN_TRANSIT_ENCRYPTION_INTER_NODE_TRANSPARENT",
    ),
    "confidentialNodes.confidentialInstanceType": one_of("SEV", "SEV_SNP", "TDX"),
    "podAutoscaling.hpaProfile": one_of("NONE", "PERFORMANCE"),
    "anonymousAuthenticationConfig.mode": one_of("ENABLED", "LIMITED"),
    "nodeCreationConfig.nodeCreationMode": one_of("VIA_KUBELET", "VIA_CONTROL_PLANE"),
    "enterpriseConfig.desiredTier": one_of("STANDARD", "ENTERPRISE"),
    "desiredEmulatedVersion": lambda name, value: (
        "" if re.fullmatch(r"\d+\.\d+", str(value)) else f"{name} must be in major.minor format"
    ),
    **nodes.validators("nodeConfig"),
    **nodes.validators("nodePools.nodeConfig"),
    **{f"nodePools.{path}": check for path, check in POOL_VALIDATORS.items()},
}

_AUTOPILOT: Final = (
    "addonsConfig.networkPolicyConfig",
    "addonsConfig.dnsCacheConfig",
    "addonsConfig.statefulHaConfig",
    "clusterAutoscaling.enabled",
    "clusterAutoscaling.resourceLimits",
    "binaryAuthorization.enabled",
    "networkPolicy",
    "nodePools",
    "removeDefaultNodePool",
    "defaultMaxPodsPerNode",
    "enableIntranodeVisibility",
)
_RANGES: Final = ("clusterSecondaryRangeName", "servicesSecondaryRangeName")
_BLOCKS: Final = ("clusterIpv4CidrBlock", "servicesIpv4CidrBlock")
CONFLICTS: Final = (
    *((name, "enableAutopilot") for name in _AUTOPILOT),
    ("clusterIpv4Cidr", "ipAllocationPolicy"),
    ("binaryAuthorization.enabled", "binaryAuthorization.evaluationMode"),
    ("enableTpu", "tpuConfig"),
    *(
        (f"ipAllocationPolicy.{block}", *(f"ipAllocationPolicy.{name}" for name in _RANGES))
        for block in _BLOCKS
    ),
)
UPDATES: Final[Mapping[str, tuple[str, Any]]] = {
    "addonsConfig": ("desiredAddonsConfig", {}),
    "clusterAutoscaling": ("desiredClusterAutoscaling", {"enableNodeAutoprovisioning": False}),
    "dnsConfig": ("desiredDnsConfig", {}),
    "binaryAuthorization": ("desiredBinaryAuthorization", {"enabled": False}),
    "releaseChannel": ("desiredReleaseChannel", {"channel": "UNSPECIFIED"}),
    "gkeAutoUpgradeConfig": ("gkeAutoUpgradeConfig", {}),
    "privateIpv6GoogleAccess": ("desiredPrivateIpv6GoogleAccess", ""),
    "disableL4LbFirewallReconciliation": ("desiredDisableL4LbFirewallReconciliation", False),
    "inTransitEncryptionConfig": ("desiredInTransitEncryptionConfig", "IN_TRANSIT_ENCRYPTION_DISABLED"),
    "enableMultiNetworking": ("desiredEnableMultiNetworking", False),
    "enableFqdnNetworkPolicy": ("desiredEnableFqdnNetworkPolicy", False),
    "enableCiliumClusterwideNetworkPolicy": ("desiredEnableCiliumClusterwideNetworkPolicy", False),
    "costManagementConfig": ("desiredCostManagementConfig", {"enabled": False}),
    "authenticatorGroupsConfig": ("desiredAuthenticatorGroupsConfig", {"enabled": False}),
    "defaultSnatStatus": ("desiredDefaultSnatStatus", {}),
    "notificationConfig": ("desiredNotificationConfig", {"pubsub": {"enabled": False}}),
    "verticalPodAutoscaling": ("desiredVerticalPodAutoscaling", {"enabled": False}),
    "serviceExternalIpsConfig": ("desiredServiceExternalIpsConfig", {"enabled": False}),
    "meshCertificates": ("desiredMeshCertificates", {"enableCertificates": False}),
    "databaseEncryption": ("desiredDatabaseEncryption", {"state": "DECRYPTED"}),
    "podAutoscaling": ("desiredPodAutoscaling", {}),
    "secretManagerConfig": ("desiredSecretManagerConfig", {"enabled": False}),
    "secretSyncConfig": ("desiredSecretSyncConfig", {"enabled": False}),
    "workloadIdentityConfig": ("desiredWorkloadIdentityConfig", {"workloadPool": ""}),
    "identityServiceConfig": ("desiredIdentityServiceConfig", {"enabled": False}),
    "loggingConfig": ("desiredLoggingConfig", {}),
    "monitoringConfig": ("desiredMonitoringConfig", {}),
    "managedMachineLearningDiagnosticsConfig": ("desiredManagedMachineLearningDiagnosticsConfig", {}),
    "managedOpentelemetryConfig": ("desiredManagedOpentelemetryConfig", {}),
    "resourceUsageExportConfig": ("desiredResourceUsageExportConfig", {}),
    "networkPerformanceConfig": ("desiredNetworkPerformanceConfig", {}),
    "gatewayApiConfig": ("desiredGatewayApiConfig", {"channel": "CHANNEL_DISABLED"}),
    "fleet": ("desiredFleet", {"project": ""}),
    "enableK8sBetaApis": ("desiredK8sBetaApis", {}),
    "securityPostureConfig": ("desiredSecurityPostureConfig", {"mode": "DISABLED"}),
    "enterpriseConfig": ("desiredEnterpriseConfig", {}),
    "anonymousAuthenticationConfig": ("desiredAnonymousAuthenticationConfig", {"mode": "ENABLED"}),
    "nodeCreationConfig": ("desiredNodeCreationConfig", {}),
    "rbacBindingConfig": ("desiredRbacBindingConfig", {}),
    "autopilotClusterPolicyConfig": ("desiredAutopilotClusterPolicyConfig", {}),
    "userManagedKeysConfig": ("desiredUserManagedKeysConfig", {}),
}
"""Properties that clusters.update changes, each in a call of its own: the field of ClusterUpdate, and what it
says when the program takes the property away."""
SWITCHES: Final[Mapping[str, tuple[str, str]]] = {
    "enableShieldedNodes": ("desiredShieldedNodes", "enabled"),
    "enableIntranodeVisibility": ("desiredIntraNodeVisibilityConfig", "enabled"),
    "enableL4IlbSubsetting": ("desiredL4ilbSubsettingConfig", "enabled"),
    "allowNetAdmin": ("desiredAutopilotWorkloadPolicyConfig", "allowNetAdmin"),
}
"""Properties that are a field of an object of their own in ClusterUpdate."""
