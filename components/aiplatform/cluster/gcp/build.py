"""The cluster on Google Cloud: GKE Standard, its system nodes, keys, logs and administrators.

APIs; keys, and grants to Google's service agents; the nodes' service account; cluster; system nodes;
StorageClasses and administrators.
"""

from dataclasses import dataclass
from functools import partial

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import binaryauthorization, container, kms

from aiplatform._shared.dependencies import Dependency, after
from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.gcp.keys import Key, existing_key, grant_key_use, key, key_ring
from aiplatform._shared.gcp.logs import LogBucket, separate_log_bucket, writer
from aiplatform._shared.outputs import checked, mapped
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster.gcp.access import grant_admins
from aiplatform.cluster.gcp.args import IMAGES
from aiplatform.cluster.gcp.context import GkeContext, location_of
from aiplatform.cluster.gcp.control_plane import Keys, control_plane
from aiplatform.cluster.gcp.nodes import calls_from_control_plane, node_account, ssh_by_iap, system_nodes
from aiplatform.cluster.gcp.service_agents import ServiceAgents, service_agents
from aiplatform.cluster.gcp.shared_vpc import grant_in_host_project
from aiplatform.cluster.gcp.storage import storage_classes
from aiplatform.cluster.kubeconfig import gke_kubeconfig


@dataclass(frozen=True)
class Built:
    """The outputs of the component, and a provider for objects in the cluster."""

    outputs: ClusterReferenceArgs
    kubernetes: kubernetes.Provider


def build(parent: pulumi.ComponentResource, name: str, settings: ClusterSettings) -> Built:
    """Create the cluster as children of the component."""
    location = location_of(settings)
    apis = enable_apis(parent, name, location.project, _needed_apis(settings))
    context = GkeContext(parent, name, settings, location, apis)
    agents = service_agents(context)
    ring = _ring(context)
    keys = _keys(context, ring, agents)
    logs = _logs(context, ring)
    account, roles = node_account(context)
    needed: list[Dependency] = [*apis.values(), *keys.grants, *roles, logs, *_images(context)]
    needed += grant_in_host_project(context, agents)
    cluster = control_plane(context, keys, account, needed)
    system_nodes(context, cluster, account, keys.disks.id, [*roles, *keys.grants])
    creates_rules = settings.gke.shared_vpc_firewall
    webhooks = [calls_from_control_plane(context, account)] if creates_rules else []
    if settings.session_manager and creates_rules:
        ssh_by_iap(context, account)
    config, endpoint = _kubeconfig(settings, cluster)
    provider = kubernetes.Provider(
        f"{name}-kubernetes",
        kubeconfig=config,
        # Identifies the cluster whatever its endpoint: its objects stay when `api_access` changes.
        cluster_identifier=_dns_endpoint(cluster),
        opts=ResourceOptions(parent=parent, depends_on=[cluster, *webhooks]),
    )
    storage_classes(context, cluster, keys.disks.id, provider)
    grant_admins(context, cluster, provider)
    outputs: ClusterReferenceArgs = {
        "cloud": "gcp",
        "project": location.project,
        "region": location.region,
        "location": location.control_plane,
        "name": cluster.name,
        "version": settings.version,
        "endpoint": endpoint,
        "certificate_authority": _authority(cluster),
        "kubeconfig": config,
        # A pool's nodes need the account's roles, and are deleted before these.
        "node_service_account": after(account.email, *roles),
        "disk_kms_key": after(keys.disks.id, *keys.grants),
        "multi_networking": settings.gke.multi_networking,
        # The first cluster of a project creates the pool: bindings to identities of it are refused before.
        "workload_pool": after(Output.from_input(location.workload_pool), cluster),
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


def _ring(context: GkeContext) -> kms.KeyRing | None:
    """Create the ring of the keys that the cluster creates; None where the arguments name all of them."""
    settings, location = context.settings, context.location
    if settings.kms_key is not None and settings.volumes_kms_key is not None:
        return None
    apis = [context.apis["cloudkms"]]
    return key_ring(context.parent, f"{context.name}-keys", location.project, location.region, apis)


def _key(
    context: GkeContext,
    ring: kms.KeyRing | None,
    purpose: str,
    argument: str,
    *,
    protect: bool = False,
    retain: bool = False,
) -> Key:
    """Return the key that the arguments name, or else a new one. purpose: last part of its logical name."""
    stated: Input[str] | None = getattr(context.settings, argument)
    if stated is not None or ring is None:
        grants = context.settings.kms_key_grants
        return existing_key(stated or "", f"ClusterArgs.{argument}", grants=grants)
    name = f"{context.name}-{purpose}"
    return key(context.parent, name, ring, context.settings.tags, protect=protect, retain=retain)


def _keys(context: GkeContext, ring: kms.KeyRing | None, agents: ServiceAgents) -> Keys:
    """Return the key of Kubernetes' secrets, for GKE, and that of the disks of nodes and of persistent disks,
    for Compute Engine: another one, because persistent disks may remain after the cluster."""
    parent, name, settings = context.parent, context.name, context.settings
    protect, retain = settings.protect, settings.retain_data
    # Also that of secrets: where another key is stated later, the former one still decrypts those of before.
    secrets = _key(context, ring, "key", "kms_key", protect=protect, retain=retain)
    disks = _key(context, ring, "volumes-key", "volumes_kms_key", protect=protect, retain=retain)
    grants = [
        grant_key_use(parent, f"{name}-key", secrets, agents.gke, retain=retain),
        grant_key_use(parent, f"{name}-volumes-key", disks, agents.compute, retain=retain),
    ]
    return Keys(secrets, disks, grants)


def _logs(context: GkeContext, ring: kms.KeyRing | None) -> pulumi.Resource:
    """Create the log bucket of the control plane. It exists before the cluster, or the first logs would be
    written to the project's default bucket."""
    parent, name, settings, location = context.parent, context.name, context.settings, context.location
    retain = settings.retain_data
    crypto_key = _key(context, ring, "logs-key", "kms_key", protect=settings.protect, retain=retain)
    email = writer(parent, location.project, context.apis["logging"])
    grant = grant_key_use(parent, f"{name}-logs-key", crypto_key, email, retain=retain)
    logs = LogBucket(
        project=location.project,
        region=location.region,
        name=f"{settings.prefix}-control-plane",
        description=f"Control plane logs of {context.cluster_name}",
        filter='resource.type="k8s_control_plane_component" '
        f'AND resource.labels.cluster_name="{context.cluster_name}" '
        f'AND resource.labels.location="{location.control_plane}"',
        days=settings.log_retention_days,
        retain=retain,
    )
    return separate_log_bucket(parent, f"{name}-logs", logs, crypto_key, grant)


def _images(context: GkeContext) -> list[pulumi.Resource]:
    """Create the project's policy of Binary Authorization, which limits the images of this cluster and not
    those of others."""
    patterns = context.settings.gke.binary_authorization
    if not patterns:
        return []
    policy = binaryauthorization.Policy(
        f"{context.name}-images",
        project=context.location.project,
        description=f"Images that {context.cluster_name} runs",
        # Google's own images, which GKE's system workloads consist of.
        global_policy_evaluation_mode="ENABLE",
        admission_whitelist_patterns=[
            binaryauthorization.PolicyAdmissionWhitelistPatternArgs(
                name_pattern=mapped(pattern, partial(_checked_image, index))
            )
            for index, pattern in enumerate(patterns)
        ],
        default_admission_rule=binaryauthorization.PolicyDefaultAdmissionRuleArgs(
            evaluation_mode="ALWAYS_ALLOW", enforcement_mode="ENFORCED_BLOCK_AND_AUDIT_LOG"
        ),
        cluster_admission_rules=[
            binaryauthorization.PolicyClusterAdmissionRuleArgs(
                cluster=f"{context.location.control_plane}.{context.cluster_name}",
                evaluation_mode="ALWAYS_DENY",
                enforcement_mode="ENFORCED_BLOCK_AND_AUDIT_LOG",
            )
        ],
        opts=context.options(context.apis["binaryauthorization"], delete_before_replace=True),
    )
    return [policy]


def _checked_image(index: int, pattern: str) -> str:
    # Of an output, too: a pattern that is too wide would allow all images.
    return checked(pattern, f"ClusterArgs.gke.binary_authorization[{index}]", IMAGES)


def _authority(cluster: container.Cluster) -> Output[str]:
    return cluster.master_auth.apply(lambda auth: str(auth.cluster_ca_certificate or ""))


def _dns_endpoint(cluster: container.Cluster) -> Output[str]:
    """Return the DNS name of the API server, which is unique among all clusters."""
    return cluster.control_plane_endpoints_config.apply(
        lambda config: str((config.dns_endpoint_config and config.dns_endpoint_config.endpoint) or "")
    )


def _kubeconfig(settings: ClusterSettings, cluster: container.Cluster) -> tuple[Output[str], Output[str]]:
    """Return the kubeconfig, and the URL in it."""
    if settings.api_access.mode == "dns":
        endpoint = _dns_endpoint(cluster).apply(lambda host: f"https://{host}")
        config = Output.all(cluster.name, endpoint).apply(
            lambda known: gke_kubeconfig(str(known[0]), str(known[1]), None)
        )
        return config, endpoint
    # The public address where the cluster has one, else the private one.
    endpoint = cluster.endpoint.apply(lambda address: f"https://{address}")
    config = Output.all(cluster.name, endpoint, _authority(cluster)).apply(
        lambda known: gke_kubeconfig(str(known[0]), str(known[1]), str(known[2]))
    )
    return config, endpoint
