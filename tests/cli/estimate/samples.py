"""Resources for tests of estimates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cli.estimate import estimate, table
from cli.estimate.resources import Resource
from cli.estimate.usage import Usage

STACK = "urn:pulumi:aws-dev::ai-platform::pulumi:pulumi:Stack::ai-platform-aws-dev"


def urn(type_: str, name: str) -> str:
    """Return the URN of a resource."""
    return f"urn:pulumi:aws-dev::ai-platform::{type_}::{name}"


def resource(type_: str, name: str = "one", parent: str = "", **inputs: Any) -> Resource:
    """Return a resource."""
    return Resource(urn(type_, name), type_, name, parent or STACK, inputs)


def eks_group(name: str, **changes: Any) -> list[Resource]:
    """Return a node group of m7i.large with its launch template."""
    inputs: dict[str, Any] = {
        "capacityType": "ON_DEMAND",
        "instanceTypes": ["m7i.large", "m6i.large"],
        "labels": {"ai-platform/pool": name},
        "scalingConfig": {"minSize": 0, "maxSize": 4, "desiredSize": 0},
        "taints": [],
        **changes,
    }
    devices = [{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 100, "volumeType": "gp3"}}]
    return [
        resource("aws:eks/nodeGroup:NodeGroup", name, **inputs),
        resource("aws:ec2/launchTemplate:LaunchTemplate", name, blockDeviceMappings=devices),
    ]


def deployment(cpu: str, memory: str, replicas: int = 1, **spec: Any) -> Resource:
    """Return a Deployment with one container."""
    requests = {"requests": {"cpu": cpu, "memory": memory}}
    pod = {"containers": [{"name": "server", "resources": requests}], **spec}
    template = {"spec": pod}
    return resource("kubernetes:apps/v1:Deployment", spec={"replicas": replicas, "template": template})


def make(
    *resources: Resource, cloud: str = "aws", use: Usage | None = None, **terms: Any
) -> estimate.Estimate:
    """Return the estimate of resources of a dev environment."""
    known = estimate.Terms(
        terms.get("discounts", {}), terms.get("commitments", ()), terms.get("credits", True)
    )
    region = {"aws": "us-east-1", "gcp": "us-central1"}[cloud]
    return estimate.make(f"{cloud}-dev", region, resources, table.load(cloud), use or Usage("dev"), known)


def event(resource: Resource, op: str = "create") -> str:
    """Return the engine's event for a resource."""
    new: Mapping[str, Any] | None = (
        None
        if op == "delete"
        else {"type": resource.type, "parent": resource.parent, "inputs": resource.inputs}
    )
    metadata = {"op": op, "urn": resource.urn, "type": resource.type, "new": new}
    return json.dumps({"resourcePreEvent": {"metadata": metadata}}) + "\n"


SUMMARY = json.dumps({"summaryEvent": {"resourceChanges": {}}}) + "\n"
