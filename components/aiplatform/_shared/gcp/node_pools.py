"""GKE node pools of all kinds: zones that offer a machine type, secure nodes, and size."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import compute, container

from aiplatform._shared.args import ArgumentError, Problem, got, is_unknown
from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp.names import api_is_off
from aiplatform._shared.kubernetes.names import EFFECTS, Taint
from aiplatform._shared.outputs import Tags, mapped
from aiplatform._shared.references.cluster import ClusterReference

T = TypeVar("T")
Offerings = Mapping[str, frozenset[str]]
"""Machine type -> zones that offer it."""

LONGEST: Final = 40 - len("-1a2b3c4")
"""Characters of a node pool's logical name: GKE allows 40, Pulumi's autonaming adds 8. The name is generated,
because most properties cannot be changed, and the replacement is created before the old node pool is
deleted."""

SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
"""IAM roles of the service account limit a node, not scopes ("Access scopes in GKE")."""


def zones_that_offer(
    machine_types: Sequence[str],
    zones: Sequence[str],
    cluster: ClusterReference,
    options: pulumi.InvokeOptions,
) -> Input[Offerings]:
    """Ask Compute Engine which of the zones offer the machine types.

    In a new project that is not possible at first: the same program enables the Compute Engine API. Then a
    preview assumes that every zone offers them, and an update asks once the cluster exists.
    """
    # `eq` takes a regular expression ("Filter results" of Compute Engine's list methods).
    filter_ = f'name eq "{"|".join(machine_types)}"'
    try:
        lists = [
            compute.get_machine_types(filter=filter_, project=cluster.project, zone=zone, opts=options)
            for zone in zones
        ]
    except Exception as error:
        if not api_is_off(error):
            raise
        if pulumi.runtime.is_dry_run():
            return dict.fromkeys(machine_types, frozenset(zones))
        return Output.from_input(cluster.name).apply(
            lambda _: Output.all(
                *(
                    compute.get_machine_types_output(
                        filter=filter_,
                        project=cluster.project,
                        zone=zone,
                        opts=pulumi.InvokeOutputOptions(parent=options.parent),
                    )
                    for zone in zones
                )
            ).apply(lambda answers: _offerings(machine_types, zones, answers))
        )
    return _offerings(machine_types, zones, lists)


def zones_once_known(offerings: Output[Offerings], check: Callable[[Offerings], T]) -> Output[T]:
    """Return what a check of offerings returns that are known during the update only. Its error states why it
    comes so late."""

    def checked(known: Offerings) -> T:
        try:
            return check(known)
        except ArgumentError as error:
            late = "not known before, since the Compute Engine API was off when the update started"
            raise ArgumentError(
                [Problem(problem.path, f"{problem.reason} ({late})") for problem in error.problems]
            ) from None

    return offerings.apply(checked)


def _offerings(machine_types: Iterable[str], zones: Sequence[str], answers: Sequence[Any]) -> Offerings:
    offered = {
        zone: {machine_type.name for machine_type in answer.machine_types}
        for zone, answer in zip(zones, answers, strict=True)
    }
    return {name: frozenset(zone for zone in zones if name in offered[zone]) for name in set(machine_types)}


@dataclass(frozen=True)
class Size:
    """The number of nodes of a node pool, in all zones together.

    per_zone: the limits apply to the only zone, as Google sets them for TPU slices: with flex-start no others
    work (GoogleCloudPlatform/cluster-toolkit, modules/compute/gke-node-pool).
    fixed: the node pool has `maximum` nodes in its only zone, and no autoscaling.
    """

    minimum: int
    maximum: int
    policy: str
    per_zone: bool = False
    fixed: bool = False

    @classmethod
    def of(cls, minimum: Input[int], maximum: Input[int], policy: str, **more: bool) -> "Input[Size]":
        """Return the size of these limits, an output where one of them is."""
        if is_unknown(minimum) or is_unknown(maximum):
            limits = Output.all(minimum, maximum)
            return limits.apply(lambda known: cls(int(known[0]), int(known[1]), policy, **more))
        return cls(cast(int, minimum), cast(int, maximum), policy, **more)

    def autoscaling(self) -> container.NodePoolAutoscalingArgs | None:
        """Return the limits for GKE's autoscaler; None for a fixed size."""
        if self.fixed:
            return None
        if self.per_zone:
            return container.NodePoolAutoscalingArgs(
                min_node_count=self.minimum, max_node_count=self.maximum, location_policy=self.policy
            )
        return container.NodePoolAutoscalingArgs(
            total_min_node_count=self.minimum,
            total_max_node_count=self.maximum,
            location_policy=self.policy,
        )

    def initial(self, zones: int) -> int:
        """Return the initial number of nodes in each zone, enough for the minimum. The autoscaler does not
        add nodes to reach a minimum, it only respects it when it removes nodes ("Autoscaling a cluster: Node
        pool size mismatching")."""
        return -(-self.minimum // zones)

    def within(self, zones: Sequence[str]) -> Sequence[str]:
        """Return the first zones, as many as can start with the same number of nodes each, at least the
        minimum and at most the maximum in total."""
        fitting = (
            zones[:count] for count in range(len(zones), 0, -1) if self.initial(count) * count <= self.maximum
        )
        return next(fitting, zones[:1])


@dataclass(frozen=True)
class Node:
    """The nodes of a node pool. more: further arguments of NodePoolNodeConfigArgs."""

    machine_type: str
    disk_gib: Input[int]
    disk_type: str
    labels: Tags
    taints: Sequence[Taint]
    tags: Tags
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])


def node_config(node: Node, cluster: ClusterReference) -> container.NodePoolNodeConfigArgs:
    """Return the configuration of nodes: Container-Optimized OS on shielded nodes with secure boot, gVNIC, an
    encrypted boot disk, the cluster's service account for nodes, and GKE's metadata server, which keeps Pods
    from that account."""
    return container.NodePoolNodeConfigArgs(
        machine_type=node.machine_type,
        image_type="COS_CONTAINERD",
        disk_size_gb=node.disk_gib,
        disk_type=node.disk_type,
        boot_disk_kms_key=cluster.disk_kms_key,
        service_account=cluster.node_service_account,
        oauth_scopes=list(SCOPES),
        gvnic=container.NodePoolNodeConfigGvnicArgs(enabled=True),
        shielded_instance_config=container.NodePoolNodeConfigShieldedInstanceConfigArgs(
            enable_secure_boot=True, enable_integrity_monitoring=True
        ),
        workload_metadata_config=container.NodePoolNodeConfigWorkloadMetadataConfigArgs(mode="GKE_METADATA"),
        kubelet_config=container.NodePoolNodeConfigKubeletConfigArgs(
            insecure_kubelet_readonly_port_enabled="FALSE"
        ),
        metadata={"disable-legacy-endpoints": "true"},
        labels=node.labels,
        taints=gke_taints(node.taints),
        resource_labels=node.tags,
        **node.more,
    )


def gke_taints(taints: Sequence[Taint]) -> list[container.NodePoolNodeConfigTaintArgs]:
    """Return taints as GKE's API names their effects."""
    return [
        container.NodePoolNodeConfigTaintArgs(key=taint.key, value=taint.value, effect=EFFECTS[taint.effect])
        for taint in taints
    ]


def node_pool(
    parent: pulumi.Resource,
    name: str,
    cluster: ClusterReference,
    node: Node,
    size: Input[Size],
    zones: Output[Sequence[str]],
    *,
    image_version: Input[str] | None = None,
    depends_on: Sequence[Dependency] = (),
    surge: bool = True,
    short_lived: bool = False,
    **more: Any,
) -> container.NodePool:
    """Create a node pool with its initial size; afterwards GKE's autoscaler decides the size.

    size: an output where one of its limits is. image_version: the version of the nodes, which GKE
    upgrades only at the end of its support. surge: whether an upgrade creates a new node before it drains an
    old one. short_lived: whether its nodes are flex-start nodes, for which GKE refuses auto-repair and
    sets an upgrade strategy (SHORT_LIVED) that the provider does not support: any upgrade setting would be a
    change at every update. more: further arguments of the node pool.
    """
    fixed = isinstance(size, Size) and size.fixed
    limits = Output.from_input(size)
    zones = zones if fixed else Output.all(limits, zones).apply(lambda known: known[0].within(known[1]))
    upgrades = container.NodePoolUpgradeSettingsArgs(
        strategy="SURGE", max_surge=1 if surge else 0, max_unavailable=0 if surge else 1
    )
    return container.NodePool(
        name,
        project=cluster.project,
        location=cluster.location or cluster.region,
        cluster=cluster.name,
        node_locations=zones,
        initial_node_count=None
        if fixed
        else Output.all(limits, zones).apply(lambda known: known[0].initial(len(known[1]))),
        # Per zone, and a fixed node pool has one. The provider refuses an initial count next to it, and only
        # this adds nodes to an existing slice without nodes that was autoscaled before.
        node_count=size.maximum if isinstance(size, Size) and fixed else None,
        autoscaling=mapped(size, Size.autoscaling),
        node_config=node_config(node, cluster),
        management=container.NodePoolManagementArgs(auto_repair=not short_lived, auto_upgrade=True),
        upgrade_settings=None if short_lived else upgrades,
        version=image_version,
        # In a release channel GKE refuses auto_upgrade: false.
        maintenance_policies=None if image_version is None else [_no_upgrades()],
        opts=ResourceOptions(
            parent=parent,
            depends_on=list(depends_on) or None,
            # It only matters at creation; a change would replace the node pool.
            ignore_changes=["initialNodeCount"],
        ),
        **more,
    )


def _no_upgrades() -> container.NodePoolMaintenancePolicyArgs:
    exclusion = container.NodePoolMaintenancePolicyExclusionUntilEndOfSupportArgs(enabled=True)
    return container.NodePoolMaintenancePolicyArgs(exclusion_until_end_of_supports=[exclusion])


def name_problem(name: str, keys: Iterable[str]) -> None:
    """Raise ArgumentError where the component's name is too long for the names of its node pools."""
    longest = max((len(key) for key in keys), default=0)
    room = LONGEST - longest - 1
    if len(name) > room:
        raise ArgumentError(
            [
                Problem(
                    "name",
                    f"{got(name)} as the component's name; expected at most {room} characters: with "
                    f"-{'x' * longest} and a generated suffix it names node pools, which may have 40",
                )
            ]
        )
