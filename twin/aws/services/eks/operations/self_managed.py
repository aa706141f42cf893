"""Instances outside of node groups that join the cluster: those of Karpenter, of a fleet, or of RunInstances.

An instance becomes a Node where nodeadm could start its kubelet: AL2023's image with a NodeConfig in the user
data that names this cluster, its endpoint and authority; a profile whose role may describe the instance; and
an access entry of type EC2_LINUX for that role. Sources: nodeadm's API (awslabs/amazon-eks-ami), EKS user
guide, "Grant IAM users access to Kubernetes with EKS access entries". Not modelled: ConfigMap aws-auth,
Bottlerocket, and security groups that stand between a node and the API server.
"""

from __future__ import annotations

import base64
import logging
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_string
from typing import Any, Final

import yaml

from twin.aws.api_server.initial_state import image_id
from twin.aws.services.eks.operations import access, node_objects
from twin.aws.services.eks.operations.store import Thing
from twin.aws.services.eks.operations.versions import AMI_TYPES, VERSIONS, AmiType, release_version

log = logging.getLogger(__name__)

Params = dict[str, Any]
NODE_CONFIG: Final = "application/node.eks.aws"
_KUBERNETES: Final = re.compile(r"(^|\.)(kubernetes|k8s)\.io$")
_KUBELET: Final = re.compile(r"(^|\.)(kubelet|node)\.kubernetes\.io$")
_KNOWN: Final = frozenset(
    {
        *("kubernetes.io/hostname", "kubernetes.io/arch", "kubernetes.io/os"),
        *("beta.kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/instance-type"),
        *("topology.kubernetes.io/zone", "topology.kubernetes.io/region"),
        *("failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region"),
    }
)
"""Labels of Kubernetes' own domains that a kubelet accepts, apart from those below `kubelet` and `node`."""


class NotJoinedError(Exception):
    """Why an instance does not become a Node."""


@dataclass
class NodeConfig:
    """What nodeadm reads: a cluster, and settings of the kubelet. Later parts of the user data win."""

    cluster: Params = field(default_factory=dict[str, Any])
    labels: dict[str, str] = field(default_factory=dict[str, str])
    taints: list[Params] = field(default_factory=list[Params])
    pods: int | None = None


def every(eks: Any, cluster: Thing) -> Iterator[Params]:
    """Yield the machines that join, as twin.kubernetes.cloud_interface.Machine takes them."""
    with eks.moto.lock:
        running = [
            instance
            for reservation in eks.moto.backend("ec2").reservations.values()
            for instance in reservation.instances
            if instance.state == "running" and getattr(instance, "autoscaling_group", None) is None
        ]
    for instance in running:
        try:
            yield _machine(eks, cluster, instance)
        except NotJoinedError as error:
            if vars(instance).get("twin_not_joined") != str(error):
                instance.twin_not_joined = str(error)
                log.warning("instance %s does not join %s: %s", instance.id, cluster.name, error)


def _machine(eks: Any, cluster: Thing, instance: Any) -> Params:
    encoded = str(instance.user_data or "")
    data: Params = {**(vars(instance).get("twin_template") or {}), "UserData": encoded}
    config = read(_text(encoded))
    _check_cluster(cluster, config.cluster)
    role = _check_role(eks, cluster, instance)
    image = _image(instance.image_id)
    group = Thing(
        "instance",
        cluster.name,
        instance.id,
        {"amiType": image.name, "labels": {}, "taints": []},
        {"data": data, "group": "", "pods": config.pods},
    )
    machine = node_objects.of_instance(eks, group, instance)
    return {
        **machine,
        "labels": {**machine["labels"], **config.labels},
        "taints": [
            {"key": taint["key"], "value": taint.get("value") or "", "effect": taint["effect"]}
            for taint in config.taints
        ],
        "network_rights": node_objects.network_rights(eks, cluster.name, role),
    }


def read(user_data: str) -> NodeConfig:
    """Return the configuration in user data, a MIME archive or a NodeConfig alone. Raises NotJoinedError."""
    config, parts = NodeConfig(), list(_parts(user_data))
    if not parts:
        raise NotJoinedError("its user data has no NodeConfig")
    for part in parts:
        try:
            document: Any = yaml.safe_load(part)
            spec: Params = document["spec"]
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise NotJoinedError(f"its NodeConfig is not valid: {error}") from error
        kubelet: Params = spec.get("kubelet") or {}
        settings: Params = kubelet.get("config") or {}
        config.cluster.update(spec.get("cluster") or {})
        config.taints = settings.get("registerWithTaints") or config.taints
        config.pods = settings.get("maxPods") or config.pods
        for flag in kubelet.get("flags") or ():
            name, _, value = "".join(shlex.split(str(flag))).partition("=")
            if name == "--node-labels":
                pairs = (pair.partition("=") for pair in value.split(",") if pair)
                config.labels.update((key, text) for key, _, text in pairs)
            if name == "--max-pods":
                config.pods = int(value)
    refused = sorted(label for label in config.labels if not _is_allowed(label))
    if refused:
        raise NotJoinedError(f"its kubelet does not start: unknown labels of kubernetes.io: {refused}")
    return config


def _parts(user_data: str) -> Iterator[str]:
    if user_data.lstrip().startswith(("MIME-Version:", "Content-Type:")):
        for part in message_from_string(user_data.lstrip()).walk():
            if part.get_content_type() == NODE_CONFIG:
                payload: Any = part.get_payload(decode=True)
                yield payload.decode()
    elif "kind: NodeConfig" in user_data:
        yield user_data


def _text(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except ValueError as error:
        raise NotJoinedError("its user data is no base64 of text") from error


def _is_allowed(label: str) -> bool:
    domain, slash, _ = label.partition("/")
    is_kubernetes = bool(slash and _KUBERNETES.search(domain))
    return not is_kubernetes or bool(_KUBELET.search(domain)) or label in _KNOWN


def _check_cluster(cluster: Thing, named: Mapping[str, Any]) -> None:
    description = cluster.description
    if named.get("name") != cluster.name:
        raise NotJoinedError(f"its NodeConfig names the cluster {named.get('name')!r}")
    if named.get("apiServerEndpoint") != description.get("endpoint"):
        raise NotJoinedError(f"its NodeConfig has the endpoint {named.get('apiServerEndpoint')!r}")
    if named.get("certificateAuthority") != (description.get("certificateAuthority") or {}).get("data"):
        raise NotJoinedError("its NodeConfig has another certificate authority")


def _check_role(eks: Any, cluster: Thing, instance: Any) -> str:
    profile = instance.iam_instance_profile
    roles = list(getattr(profile, "roles", None) or [])
    if not roles:
        raise NotJoinedError("it has no instance profile with a role")
    arn: str = roles[0].arn
    # nodeadm asks for the instance's private DNS name, which is the Node's.
    if not eks.identity.allowed(arn, "ec2:DescribeInstances", "*", {}):
        raise NotJoinedError(f"its role {arn} has no right to ec2:DescribeInstances")
    entry = eks.store.get("access_entry", cluster.name, arn)
    if entry is None or entry.description["type"] != "EC2_LINUX" or not access.known(entry):
        raise NotJoinedError(f"its role {arn} has no access entry of type EC2_LINUX")
    return arn


def _image(image: str) -> AmiType:
    for version in VERSIONS:
        for kind in AMI_TYPES.values():
            if kind.image and kind.supports(version):
                if image_id(version, kind.name, release_version(version, kind.name)) != image:
                    continue
                if not kind.name.startswith("AL2023_"):
                    raise NotJoinedError(f"its image {image} ({kind.name}) does not run nodeadm")
                return kind
    # An image of the account: taken for one that is built on AL2023's, with its drivers.
    return AMI_TYPES["CUSTOM"]
