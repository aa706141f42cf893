"""Karpenter's objects for a pool. Pure: no resource, no call."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pulumi import Input

from aiplatform._shared.aws.node_groups import DEVICES
from aiplatform._shared.outputs import mapped
from aiplatform._shared.references.karpenter import KarpenterPoolReference
from aiplatform.karpenter.args import DisruptionBudget, KarpenterSettings

NODE_CLASS: Final = "karpenter.k8s.aws/v1"
NODE_POOL: Final = "karpenter.sh/v1"
_CONSOLIDATION: Final = {
    "when_empty": "WhenEmpty",
    "balanced": "Balanced",
    "when_empty_or_underutilized": "WhenEmptyOrUnderutilized",
}
_SYSTEM_VOLUME: Final = "4Gi"
"""Bottlerocket's volume for the system, as Karpenter itself has it."""


def node_class(
    settings: KarpenterSettings, pool: KarpenterPoolReference, profile: Input[str]
) -> dict[str, Any]:
    """Return the spec of an EC2NodeClass: what a launch template of a node group would have. profile: the
    instance profile of the nodes."""
    spec: dict[str, Any] = {
        "amiSelectorTerms": [{"alias": f"{pool.image}@{getattr(settings.image_versions, pool.image)}"}],
        "instanceProfile": profile,
        "subnetSelectorTerms": [{"id": subnet} for subnet in pool.subnet_ids],
        "securityGroupSelectorTerms": [{"id": group} for group in pool.security_group_ids],
        "associatePublicIPAddress": False,
        # No Pod without host network reaches the role of the nodes.
        "metadataOptions": {
            "httpEndpoint": "enabled",
            "httpTokens": "required",
            "httpPutResponseHopLimit": 1,
            "httpProtocolIPv6": "disabled",
        },
        "blockDeviceMappings": _devices(pool),
        "tags": pool.tags,
    }
    if pool.efa_interfaces:
        spec["networkInterfaces"] = network_interfaces(pool.efa_interfaces)
    if pool.placement_group is not None:
        spec["placementGroupSelector"] = {"name": pool.placement_group}
    if pool.reservation_id is not None:
        spec["capacityReservationSelectorTerms"] = [{"id": pool.reservation_id}]
    if pool.raid0:
        spec["instanceStorePolicy"] = "RAID0"
    if pool.max_pods is not None:
        spec["kubelet"] = {"maxPods": pool.max_pods}
    return spec


def _devices(pool: KarpenterPoolReference) -> list[dict[str, Any]]:
    """Return all devices of the image, because EC2 encrypts only those that are listed."""
    devices = DEVICES[pool.image]
    return [
        {
            "deviceName": device,
            "ebs": {
                "volumeType": "gp3",
                "volumeSize": _gib(pool.volume_gib) if device == devices[-1] else _SYSTEM_VOLUME,
                "encrypted": True,
                "deleteOnTermination": True,
                **({"kmsKeyID": pool.volume_key_arn} if pool.volume_key_arn is not None else {}),
            },
        }
        for device in devices
    ]


def _gib(size: Input[int]) -> Input[str]:
    return mapped(size, lambda gib: f"{int(gib)}Gi")


def network_interfaces(efa: int) -> list[dict[str, Any]]:
    """Return the primary interface of a node and its interfaces for EFA, as launch templates of GPU pools
    have them. Listed here they do not depend on what the first Pod of a node requests."""
    primary = {"networkCardIndex": 0, "deviceIndex": 0, "interfaceType": "interface"}
    return [
        primary,
        *(
            {"networkCardIndex": card, "deviceIndex": 1 if card == 0 else 0, "interfaceType": "efa-only"}
            for card in range(efa)
        ),
    ]


def node_pool(settings: KarpenterSettings, pool: KarpenterPoolReference) -> dict[str, Any]:
    """Return the spec of a NodePool."""
    template: dict[str, Any] = {
        "nodeClassRef": {"group": NODE_CLASS.partition("/")[0], "kind": "EC2NodeClass", "name": pool.name},
        "requirements": _requirements(pool),
        "expireAfter": _hours(settings.expire_after_hours) or "Never",
    }
    if pool.taints:
        template["taints"] = [
            {"key": taint.key, "effect": taint.effect, **({"value": taint.value} if taint.value else {})}
            for taint in pool.taints
        ]
    if settings.termination_grace_hours is not None:
        template["terminationGracePeriod"] = _hours(settings.termination_grace_hours)
    return {
        "weight": pool.weight,
        "template": {"metadata": {"labels": pool.labels}, "spec": template},
        **({"limits": pool.limits} if pool.limits else {}),
        "disruption": {
            "consolidationPolicy": _CONSOLIDATION[settings.consolidation],
            "consolidateAfter": f"{settings.consolidate_after_minutes}m",
            "budgets": [_budget(budget) for budget in settings.disruption_budgets],
        },
    }


def _requirements(pool: KarpenterPoolReference) -> list[Mapping[str, Any]]:
    requirements = [
        _in("karpenter.sh/capacity-type", [pool.capacity]),
        _in("node.kubernetes.io/instance-type", pool.instance_types),
        _in("topology.k8s.aws/zone-id", pool.zones),
    ]
    if pool.reservation_id is not None:
        requirements.append(_in("karpenter.k8s.aws/capacity-reservation-id", [pool.reservation_id]))
    return requirements


def _in(key: str, values: Sequence[Input[str]]) -> Mapping[str, Any]:
    return {"key": key, "operator": "In", "values": list(values)}


def _hours(hours: int | None) -> str | None:
    return None if hours is None else f"{hours}h"


def _budget(budget: DisruptionBudget) -> dict[str, Any]:
    return {
        "nodes": budget.nodes,
        **({"reasons": [reason.capitalize() for reason in budget.reasons]} if budget.reasons else {}),
        **({"schedule": budget.schedule, "duration": _hours(budget.hours)} if budget.schedule else {}),
    }
