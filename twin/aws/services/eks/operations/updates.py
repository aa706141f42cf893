"""Updates: what EKS says of a change that it has made."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from twin.aws.services.eks.operations.errors import not_found
from twin.aws.services.eks.operations.store import Thing

Params = dict[str, Any]


def record(eks: Any, owner: Thing, kind: str, changes: dict[str, Any]) -> Params:
    """Note a change of a cluster, node group or add-on and answer as its Update operation does."""
    description: Params = {
        "id": str(uuid.uuid4()),
        "status": "Successful",
        "type": kind,
        "params": [
            {"type": name, "value": value if isinstance(value, str) else json.dumps(value)}
            for name, value in changes.items()
        ],
        "createdAt": round(time.time(), 3),
        "errors": [],
    }
    eks.store.put(
        Thing("update", owner.cluster, description["id"], description, {"owner": [owner.kind, owner.name]})
    )
    # The caller is reported that it is under way, as EKS reports; it is done by the time anyone asks.
    return {"update": {**description, "status": "InProgress"}}


def describe(eks: Any, params: Params) -> Params:
    """DescribeUpdate."""
    eks.cluster(params["name"])
    update = eks.store.get("update", params["name"], params["updateId"])
    if update is None:
        raise not_found(f"No update found for ID: {params['updateId']}")
    return {"update": update.description}


def every(eks: Any, params: Params) -> Params:
    """ListUpdates."""
    cluster = eks.cluster(params["name"])
    owner = ["cluster", cluster.name]
    if params.get("nodegroupName"):
        owner = ["nodegroup", params["nodegroupName"]]
    elif params.get("addonName"):
        owner = ["addon", params["addonName"]]
    updates = eks.store.every("update", cluster.name)
    return {"updateIds": [update.name for update in updates if update.internal.get("owner") == owner]}


HANDLERS = {"DescribeUpdate": describe, "ListUpdates": every}
