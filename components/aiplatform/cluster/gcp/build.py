"""The cluster on Google Cloud: GKE Standard, its system nodes, and what encrypts and guards it.

APIs; keys, and grants to Google's service agents; the nodes' service account; cluster; system nodes;
StorageClasses and administrators.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Output, ResourceOptions
from pulumi_gcp import binaryauthorization, container, kms

from aiplatform._shared.dependencies import after
from aiplatform._shared.gcp.apis import Apis, enable_apis
from aiplatform._shared.gcp.keys import grant_key_use, key, key_ring
from aiplatform._shared.gcp.logs import LogBucket, separate_log_bucket, writer
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster.gcp.access import grant_admins
from aiplatform.cluster.gcp.control_plane import Keys, control_plane
from aiplatform.cluster.gcp.location import Agents, Place, agents, place
from aiplatform.cluster.gcp.nodes import node_account, ssh_by_iap, system_nodes
from aiplatform.cluster.gcp.storage import storage_classes
from aiplatform.cluster.kubeconfig import gke_kubeconfig


@dataclass(frozen=True)
class Built:
    """What the component shows of the cluster."""

    outputs: ClusterReferenceArgs
    kubernetes: kubernetes.Provider


def build(parent: pulumi.ComponentResource, name: str, settings: ClusterSettings) -> Built:
    """All of it, as children of one component."""
    here = place(settings)
    apis = enable_apis(parent, name, here.project, _needed_apis(settings))
    acting = agents(parent, name, here.project, apis)
    ring = key_ring(parent, f"{name}-keys", here.project, here.region, [apis["cloudkms"]])
    keys, disks_key = _keys(parent, name, settings, ring, acting)
    logs = _logs(parent, name, settings, here, ring, apis["logging"])
    account, roles = node_account(parent, name, settings, here, apis)
    policy = _images(parent, name, settings, here, apis)
    needed: list[pulumi.Resource] = [*apis.values(), *keys.grants, *roles, logs, *policy]
    cluster = control_plane(parent, name, settings, here, keys, account, needed)
    system_nodes(parent, name, settings, here, cluster, account, keys.disks, [*roles, *keys.grants])
    if settings.session_manager:
        ssh_by_iap(parent, name, settings, here, account)
    config, endpoint = _kubeconfig(settings, cluster)
    provider = kubernetes.Provider(
        f"{name}-kubernetes",
        kubeconfig=config,
        # Which cluster it is, whatever way leads to it: with another `api_access` its objects stay.
        cluster_identifier=_dns_endpoint(cluster),
        opts=ResourceOptions(parent=parent, depends_on=[cluster]),
    )
    storage_classes(parent, name, cluster, keys.disks, provider)
    grant_admins(parent, name, settings, here, apis, cluster, provider)
    outputs: ClusterReferenceArgs = {
        "cloud": "gcp",
        "project": here.project,
        "region": here.region,
        "location": here.location,
        "name": cluster.name,
        "version": settings.version,
        "endpoint": endpoint,
        "certificate_authority": _authority(cluster),
        "kubeconfig": config,
        # A pool's nodes need the account's roles, and are gone before these go.
        "node_service_account": after(account.email, *roles),
        "disk_kms_key": after(disks_key.id, *keys.grants),
        "multi_networking": settings.gke.multi_networking,
        # The first cluster of a project creates the pool: bindings to identities of it are refused before.
        "workload_pool": after(Output.from_input(here.workload_pool), cluster),
    }
    if settings.network.services_cidr is not None:
        outputs["service_cidr"] = settings.network.services_cidr
    return Built(outputs, provider)


def _needed_apis(settings: ClusterSettings) -> list[str]:
    apis = ["cloudresourcemanager", "compute", "container", "iam", "cloudkms", "artifactregistry"]
    apis += ["logging", "monitoring"]
    if settings.gke.image_streaming:
        apis.append("containerfilesystem")
    if settings.gke.filestore:
        apis.append("file")
    if settings.gke.binary_authorization:
        apis.append("binaryauthorization")
    if settings.gke.security_posture:
        apis.append("containersecurity")
    if settings.session_manager:
        apis.append("iap")
    return apis


def _keys(
    parent: pulumi.ComponentResource,
    name: str,
    settings: ClusterSettings,
    ring: kms.KeyRing,
    acting: Agents,
) -> tuple[Keys, kms.CryptoKey]:
    """The key of Kubernetes' secrets, for GKE; that of disks, nodes' and persistent ones, for Compute Engine:
    another one, for persistent disks may outlive the cluster."""
    secrets = key(parent, f"{name}-key", ring, settings.tags, protect=settings.protect)
    disks = key(
        parent,
        f"{name}-volumes-key",
        ring,
        settings.tags,
        protect=settings.protect,
        retain=settings.retain_data,
    )
    grants = [
        grant_key_use(parent, f"{name}-key", secrets, acting.gke),
        grant_key_use(parent, f"{name}-volumes-key", disks, acting.compute, retain=settings.retain_data),
    ]
    return Keys(secrets, disks.id, grants), disks


def _logs(
    parent: pulumi.ComponentResource,
    name: str,
    settings: ClusterSettings,
    here: Place,
    ring: kms.KeyRing,
    api: pulumi.Resource,
) -> pulumi.Resource:
    """Where the control plane's logs go. Made before the cluster, or its first ones would go elsewhere."""
    crypto_key = key(parent, f"{name}-logs-key", ring, settings.tags, retain=settings.retain_data)
    email = writer(parent, here.project, api)
    grant = grant_key_use(parent, f"{name}-logs-key", crypto_key, email, retain=settings.retain_data)
    logs = LogBucket(
        project=here.project,
        region=here.region,
        name=f"{settings.prefix}-control-plane",
        description=f"Control plane logs of {here.cluster}",
        filter='resource.type="k8s_control_plane_component" '
        f'AND resource.labels.cluster_name="{here.cluster}" '
        f'AND resource.labels.location="{here.location}"',
        days=settings.log_retention_days,
        retain=settings.retain_data,
    )
    return separate_log_bucket(parent, f"{name}-logs", logs, crypto_key, grant)


def _images(
    parent: pulumi.ComponentResource, name: str, settings: ClusterSettings, here: Place, apis: Apis
) -> list[pulumi.Resource]:
    """The project's policy of Binary Authorization: what this cluster runs; all other clusters as before."""
    if not settings.gke.binary_authorization:
        return []
    policy = binaryauthorization.Policy(
        f"{name}-images",
        project=here.project,
        description=f"Images that {here.cluster} runs",
        # Google's own, which the cluster itself is made of.
        global_policy_evaluation_mode="ENABLE",
        admission_whitelist_patterns=[
            binaryauthorization.PolicyAdmissionWhitelistPatternArgs(name_pattern=pattern)
            for pattern in settings.gke.binary_authorization
        ],
        default_admission_rule=binaryauthorization.PolicyDefaultAdmissionRuleArgs(
            evaluation_mode="ALWAYS_ALLOW", enforcement_mode="ENFORCED_BLOCK_AND_AUDIT_LOG"
        ),
        cluster_admission_rules=[
            binaryauthorization.PolicyClusterAdmissionRuleArgs(
                cluster=f"{here.location}.{here.cluster}",
                evaluation_mode="ALWAYS_DENY",
                enforcement_mode="ENFORCED_BLOCK_AND_AUDIT_LOG",
            )
        ],
        opts=ResourceOptions(
            parent=parent, depends_on=[apis["binaryauthorization"]], delete_before_replace=True
        ),
    )
    return [policy]


def _authority(cluster: container.Cluster) -> Output[str]:
    return cluster.master_auth.apply(lambda auth: str(auth.cluster_ca_certificate or ""))


def _dns_endpoint(cluster: container.Cluster) -> Output[str]:
    """The name of the API server, which no two clusters ever have alike."""
    return cluster.control_plane_endpoints_config.apply(
        lambda config: str((config.dns_endpoint_config and config.dns_endpoint_config.endpoint) or "")
    )


def _kubeconfig(settings: ClusterSettings, cluster: container.Cluster) -> tuple[Output[str], Output[str]]:
    """The kubeconfig, and the URL in it."""
    if settings.api_access.mode == "dns":
        endpoint = _dns_endpoint(cluster).apply(lambda host: f"https://{host}")
        config = Output.all(cluster.name, endpoint).apply(
            lambda each: gke_kubeconfig(str(each[0]), str(each[1]), None)
        )
        return config, endpoint
    # The private address where there is no other, and the public one where there is.
    endpoint = cluster.endpoint.apply(lambda address: f"https://{address}")
    config = Output.all(cluster.name, endpoint, _authority(cluster)).apply(
        lambda each: gke_kubeconfig(str(each[0]), str(each[1]), str(each[2]))
    )
    return config, endpoint
